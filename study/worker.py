"""What runs on a worker: one trial, one judgement on the test split, or its pictures."""

from __future__ import annotations

import contextlib
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pyarrow.fs import FileSystem
from ray import tune

from study.events import Dealt
from study.files import sizes_below
from study.inner_search import tune_epoch
from study.pictures import draw_picture
from study.place import enter, place
from study.search_language import InnerSearch
from study.standstill import standstill
from study.system_metrics import SystemMeter
from study.trainable import (
    Judgement,
    Report,
    Trainable,
    TrialFailed,
    keep_test_shut,
)
from study.words import encodable, error_line, one_line

TUNED = "tuned"
"""Of a report: what the inner search chose."""
SYSTEM = "system"
"""Of a report: what the epoch took of the machine."""
PLACE = "place"
"""Of a report: the node and the device."""
DRAWN = "drawn"
"""Of a report: whether its checkpoint holds a picture."""
FILES = "files"
"""Of a report: bytes of what its checkpoint holds, by the path within."""
FAILED, TRACEBACK, FATAL = "failed", "traceback", "fatal"
"""Of a report that is no epoch: why the trial failed, in a line and in full, and whether its
process may have been harmed."""
STANDSTILL = "standstill"
"""Of a report that is neither: why nothing can go on, and what a person is to do."""


def run_trial(
    config: dict[str, Any],
    subject: Trainable,
    home: str,
    out: str,
    inner: InnerSearch | None = None,
    pictures: int = 0,
    files: FileSystem | None = None,
) -> None:
    """Trains one trial under Ray Tune.

    The test split is shut meanwhile: a trial that asks for it fails.

    A trial that fails says so in a report of its own, so that Ray Tune does not try it again. Where
    the reason is not known to be harmless, the process ends with it.

    Args:
        config: `dealt`, the trial; and `resume_from`, a directory among the files, or None.
        subject: what is trained.
        home: the driver's working directory, which relative paths start from.
        out: the study directory.
        inner: what is searched when the training is over.
        pictures: after how many epochs a picture is due, each time; 0 for never.
        files: where checkpoints are; left out, they are directories as any.
    """
    enter(home)
    dealt: Dealt = config["dealt"]
    try:
        with keep_test_shut(), SystemMeter() as meter, _resume_from(config, files) as checkpoint:
            report = _reporter(dealt, subject, inner, pictures, meter)
            subject.fit(dealt.config, report, checkpoint)
    except TrialFailed as error:
        tune.report(_failure(one_line(str(error))))
    except Exception as error:
        found = standstill(error, Path(out))
        if found is not None:
            tune.report({STANDSTILL: [found.why, found.mend]})
            return
        tune.report({**_failure(error_line(error)), FATAL: True})
        raise


def judge(trainable: Trainable, checkpoint: tune.Checkpoint, home: str) -> Judgement:
    """Judges a trained model on the test split.

    Args:
        trainable: what was trained.
        checkpoint: the model.
        home: the driver's working directory.
    """
    enter(home)
    with checkpoint.as_directory() as directory:
        return trainable.judge(Path(directory), "test")


def draw(
    trainable: Trainable, checkpoint: tune.Checkpoint, home: str, images: Sequence[str]
) -> dict[str, bytes]:
    """Draws what a trained model predicts for images of the test split.

    Args:
        trainable: what was trained.
        checkpoint: the model.
        home: the driver's working directory.
        images: names of images.

    Returns:
        The pictures by file name; see `Trainable.draw`.
    """
    enter(home)
    with tempfile.TemporaryDirectory(prefix="study-") as out, checkpoint.as_directory() as model:
        trainable.draw(Path(model), "test", Path(out), images)
        return {path.name: path.read_bytes() for path in sorted(Path(out).iterdir())}


def _reporter(
    dealt: Dealt, subject: Trainable, inner: InnerSearch | None, pictures: int, meter: SystemMeter
) -> Report:
    """Tells Ray Tune of each epoch; of the last, with the best clustering of what was trained."""

    def report(metrics: dict[str, float], checkpoint_dir: Path) -> None:
        values, tuned = tune_epoch(metrics, checkpoint_dir, inner, dealt.num_epochs)
        epoch = int(metrics["epoch"])
        drawn = draw_picture(subject, checkpoint_dir, epoch, dealt.num_epochs, pictures)
        result: dict[str, Any] = {"epoch": epoch, "metrics": values, DRAWN: drawn}
        result[FILES] = sizes_below(checkpoint_dir)
        result[SYSTEM] = meter.read()
        result[PLACE] = place()
        if tuned:
            result[TUNED] = tuned
        tune.report(result, checkpoint=tune.Checkpoint.from_directory(str(checkpoint_dir)))

    return report


@contextlib.contextmanager
def _resume_from(config: dict[str, Any], files: FileSystem | None) -> Iterator[Path | None]:
    """The checkpoint of this run of Ray Tune, or else of the one that was interrupted."""
    left = config["resume_from"]
    checkpoint = tune.get_checkpoint() or (left and tune.Checkpoint(left, files))
    if not checkpoint:
        yield None
        return
    with checkpoint.as_directory() as directory:
        yield Path(directory)


def _failure(reason: str) -> dict[str, str]:
    """A report of the error that is being handled."""
    return {FAILED: reason, TRACEBACK: encodable(traceback.format_exc())}
