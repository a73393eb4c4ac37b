"""Runs a trial again from its record alone, in this process, and never writes to its study."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study.checkpoint import find_checkpoint
from study.clustering import Clustering
from study.inner_search import tune_epoch
from study.manifest import described
from study.recorded import Recorded
from study.trainable import Mtdepth, OnProgress, Trainable, TrialFailed


@dataclass
class Replayed:
    """What came of it."""

    epochs: dict[int, dict[str, float]] = field(default_factory=dict)
    test: Mapping[str, float] | None = None
    error: str | None = None
    """Why it failed, if it did."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The data that were read, as a manifest describes them."""


class _Enough(Exception):
    """As many epochs as are on record."""


def replay(
    recorded: Recorded,
    trainable: Trainable | None = None,
    *,
    tests: bool = False,
    on_progress: OnProgress | None = None,
    on_epoch: Callable[[int], None] | None = None,
) -> Replayed:
    """Runs a trial again, for as many epochs as are on record.

    Args:
        recorded: the trial.
        trainable: what is trained; left out, what its study is about.
        tests: whether the test split is opened too, as the record says it has been already.
        on_progress: hears of the preparation of data.
        on_epoch: hears of each epoch.

    Raises:
        ValueError: there is nothing to compare, the data is not as it should be, or the trial,
            which did not fail then, cannot be run here.
    """
    _check_comparable(recorded, tests)
    with tempfile.TemporaryDirectory(prefix="study-") as name, _threads(recorded):
        scratch = Path(name)
        subject = trainable or _subject(recorded, scratch)
        subject.check_software(recorded.config)
        data = described(subject.check_data(recorded.config, on_progress))
        if isinstance(subject, Clustering):
            subject = subject.prepared_here("val", scratch)
        found = Replayed(data=data)
        kept = scratch / "checkpoint"
        _fit(recorded, subject, found, kept if tests else None, on_epoch)
        if tests and kept.is_dir():
            if isinstance(subject, Clustering):
                subject = subject.prepared_here("test", scratch)
            found.test = subject.judge(kept, "test").metrics
    return found


def _check_comparable(recorded: Recorded, tests: bool) -> None:
    if not recorded.epochs and recorded.status != "failed":
        raise ValueError(f"{recorded.trial_key} has reported no epoch yet: nothing to compare")
    if tests and recorded.test is None:
        raise ValueError(
            f"{recorded.trial_key} was never judged on the test split, so that --test is refused: "
            "the split is opened once, at the end of a study, for the final models alone"
        )


def _fit(
    recorded: Recorded,
    subject: Trainable,
    found: Replayed,
    kept: Path | None,
    on_epoch: Callable[[int], None] | None,
) -> None:
    """Trains; the checkpoint of the last epoch is copied to `kept`."""
    inner = recorded.space.inner_search if recorded.space else None
    last = max(recorded.epochs, default=0)
    fails = recorded.status == "failed"

    def report(metrics: dict[str, float], checkpoint: Path) -> None:
        epoch = int(metrics["epoch"])
        found.epochs[epoch], _ = tune_epoch(metrics, checkpoint, inner, recorded.num_epochs)
        if on_epoch is not None:
            on_epoch(epoch)
        if kept is not None and epoch == last:
            shutil.copytree(checkpoint, kept)
        if epoch >= last + fails and epoch < recorded.num_epochs:
            raise _Enough

    try:
        subject.fit(recorded.config, report, None)
        if len(found.epochs) < recorded.num_epochs:
            found.error = f"ended after {len(found.epochs)} of {recorded.num_epochs} epochs"
    except _Enough:
        pass
    except TrialFailed as error:
        found.error = " ".join(str(error).split())
    except Exception as error:  # as a worker takes it
        found.error = " ".join(f"{type(error).__name__}: {error}".split())
        if recorded.status != "failed":
            raise ValueError(f"{recorded.trial_key} cannot be run here: {found.error}") from error


def _subject(recorded: Recorded, scratch: Path) -> Trainable:
    """What the trial trained, or clustered.

    Raises:
        ValueError: the checkpoint of a clustering can't be had.
    """
    space = recorded.space
    if space is None or space.kind == "training":
        return Mtdepth()
    home = recorded.directory or scratch
    kept = home / "checkpoint"
    downloads = kept if kept.is_dir() else scratch / "download"
    checkpoint = find_checkpoint(space.checkpoint, downloads)
    return Clustering(checkpoint=checkpoint, directory=home / "embeddings")


@contextmanager
def _threads(recorded: Recorded) -> Iterator[None]:
    """As many threads as a worker of the study has: sums depend on it in their last digits."""
    cpus = recorded.space.resources_of(recorded.arm).cpus if recorded.space else 1
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(max(1, int(cpus)))))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
