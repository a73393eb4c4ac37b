"""The test phase: the test split is opened once, after all training, for the final models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ray
from pyarrow.fs import FileSystem
from ray import tune

from study.events import Judged, Phase, now
from study.head_files import study_files
from study.ledger import Ledger
from study.placement import options_of
from study.records import TrialRecord
from study.trainable import Trainable
from study.words import counted, error_line, trial_noun
from study.worker import judge

Say = Callable[[str], None]


def finalists(ledger: Ledger, best: Iterable[str], phase: Phase) -> list[TrialRecord]:
    """The trials that are judged on the test split.

    Args:
        ledger: of the study.
        best: keys of the best search trials, which take part where no seeds are confirmed.
        phase: whose trials are judged.
    """
    keys = set(best)
    return [
        record
        for record in ledger.records.values()
        if record.kept is not None
        and record.phase == phase
        and (phase == "confirm" or record.dealt.trial_key in keys)
    ]


def open_test(ledger: Ledger, num_models: int, say: Say) -> None:
    """Writes down that the test split is read from here on; the first time counts."""
    if ledger.manifest.get("test_opened") is None:
        ledger.update_manifest(test_opened=now())
    finals = counted(num_models, trial_noun(ledger.space.kind))
    say(f"No trial is left. Opening the test split for {finals}.")


def examine(
    ledger: Ledger, trained: list[TrialRecord], trainable: Trainable, say: Say
) -> list[str]:
    """Judges trained models on the test split.

    Models that were judged before an interruption are not judged again.

    Returns:
        A line for each model that could not be judged.
    """
    waiting = [record for record in trained if record.test is None]
    task = ray.remote(max_retries=2)(judge)
    shared, files = ray.put(trainable), study_files(ledger.directory)
    running = {}
    for record in waiting:
        checkpoint = kept_model(ledger, record, files)
        own = task.options(**judging(ledger, record))
        running[own.remote(shared, checkpoint, str(Path.cwd()))] = record
    failures: list[str] = []
    while running:
        (done,), _ = ray.wait(list(running))
        record = running.pop(done)
        try:
            judgement = ray.get(done)
        except ray.exceptions.RayError as error:
            failures.append(f"{record.dealt.trial_key}: {cause_of(error)}")
            say(f"Test of {failures[-1]}")
            continue
        ledger.append(
            Judged(
                trial_key=record.dealt.trial_key,
                metrics=judgement.metrics,
                images=judgement.images,
                replicates=judgement.replicates,
            )
        )
    return failures


def judging(ledger: Ledger, record: TrialRecord) -> dict[str, Any]:
    """What a task of Ray has that looks at the model of a trial: as much as one process can use."""
    return options_of(ledger.space.resources_of(record.dealt.arm).of_one_process)


def kept_model(ledger: Ledger, record: TrialRecord, files: FileSystem | None) -> tune.Checkpoint:
    """The model of a trial, for whichever node."""
    return tune.Checkpoint(str(ledger.directory.resolve() / str(record.kept)), files)


def cause_of(error: Exception) -> str:
    """What went wrong on a worker, in a line."""
    return error_line(getattr(error, "cause", None) or error)
