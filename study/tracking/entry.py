"""What the registry is told of a model, from the ledger alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from study.ledger import Ledger
from study.records import TrialRecord
from study.report.numbers import mean_and_std, number
from study.statistics import summarise
from study.tracking.choice import candidates
from study.words import counted


@dataclass(frozen=True)
class Entry:
    """One model of a study."""

    ledger: Ledger
    record: TrialRecord
    """Of the trial that trained it; it is kept."""

    @property
    def checkpoint(self) -> Path:
        """Directory of the trained model."""
        return self.ledger.directory / str(self.record.kept)

    @cached_property
    def identity(self) -> dict[str, str]:
        """Tags that tell it from any other model."""
        manifest, dealt = self.ledger.manifest, self.record.dealt
        return {
            "study.id": str(manifest["study_id"]),
            "study.started": str(manifest["started"]),
            "study.arm": dealt.arm,
            "study.trial_key": dealt.trial_key,
            "study.seed": str(dealt.seed),
            "study.digest": _digest(self.checkpoint),
        }

    def reached(self) -> dict[str, str]:
        """A tag a metric: the objective, and what the study compares.

        It is the model's own value; of a confirmed model, beside it, mean and standard deviation
        of its arm over all seeds.
        """
        arm, own = self.record.dealt.arm, self.record.metrics
        shown = (self.ledger.objectives()[arm], *self.ledger.space.compare.metrics)
        told = {metric: number(own[metric]) for metric in shown if metric in own}
        if self.record.phase != "confirm":
            return told
        others = candidates(self.ledger, arm)
        for metric in told:
            values = {r.dealt.seed: r.metrics[metric] for r in others if metric in r.metrics}
            found = summarise(values)
            over = f"{mean_and_std(found)} over {counted(found.num, 'seed')}"
            told[metric] += f" (arm: {over})"
        return told


def _digest(checkpoint: Path) -> str:
    """Of all files of a checkpoint, in hexadecimal digits."""
    found = hashlib.sha256()
    for path in sorted(checkpoint.iterdir()):
        with path.open("rb") as file:
            found.update(f"{path.name} ".encode())
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()
