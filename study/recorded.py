"""A trial as it stands on record: in a study directory, or in MLflow where that is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.ledger import Ledger
from study.plain_errors import suggestion
from study.space import Space

STUDIES = Path("studies")
"""Where studies lie unless `--out` says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What has to be known of a trial to run it again, and to compare."""

    trial_key: str
    arm: str
    config: Mapping[str, Any]
    """The whole training, nested."""
    num_epochs: int
    """Epochs that it was to train."""
    epochs: Mapping[int, Mapping[str, float]]
    """The metrics of each epoch that it reported."""
    test: Mapping[str, float] | None
    """What it reached on the test split; None where it was not judged."""
    status: str
    error: str | None
    """Why it failed."""
    space: Space | None
    """The study that it is of; None where only the training is on record."""
    manifest: Mapping[str, Any]
    """What the numbers depended on beside the space; empty where that is lost."""
    directory: Path | None = None
    """The study directory, where it is there."""


def recorded_in(directory: Path, trial_key: str) -> Recorded:
    """A trial of a study directory.

    Raises:
        ValueError: it holds no study, or no such trial.
    """
    ledger = Ledger.open(directory)
    record = ledger.records.get(trial_key)
    if record is None:
        raise ValueError(
            f"{directory}: no trial {trial_key!r}; {suggestion(trial_key, ledger.records)}"
        )
    return Recorded(
        trial_key=trial_key,
        arm=record.dealt.arm,
        config=record.dealt.config,
        num_epochs=record.dealt.num_epochs,
        epochs={epoch.epoch: epoch.metrics for epoch in record.epochs},
        test=None if record.test is None else record.test.metrics,
        status=record.status,
        error=record.error,
        space=ledger.space,
        manifest=ledger.manifest,
        directory=directory,
    )


def study_with(trial_key: str) -> Path:
    """The one study below `studies/` that has a trial of this name.

    Raises:
        ValueError: none has, or several have.
    """
    wanted = f'"trial_key": "{trial_key}"'.encode()
    journals = sorted(STUDIES.glob("*/events.jsonl"))
    found = [journal.parent for journal in journals if wanted in journal.read_bytes()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValueError(
            f"expected a study below {STUDIES}/ that has a trial {trial_key!r}, found none among "
            f"{len(journals)}; say --study DIR"
        )
    raise ValueError(
        f"{trial_key!r} is a trial of {len(found)} studies: {', '.join(map(str, found))}; "
        "say which by --study DIR"
    )
