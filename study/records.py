"""What is known of a trial, as its events tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from study.events import Dealt, EpochEnded, Event, Judged, Phase, Status, TrialEnded


@dataclass
class TrialRecord:
    """A trial so far."""

    dealt: Dealt
    status: Status = "running"
    error: str | None = None
    epochs: list[EpochEnded] = field(default_factory=list)
    seconds: float = 0.0
    """How long it has run, over all that interrupted it."""
    ended: str | None = None
    test: Judged | None = None
    mlflow_run_id: str | None = None
    kept: str | None = None
    """Directory of the trained model within the study directory, where it is kept."""

    @property
    def phase(self) -> Phase:
        """Search or confirm."""
        return self.dealt.phase

    @property
    def num_epochs(self) -> int:
        """Epochs that it has reported."""
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def checkpoint(self) -> str | None:
        """Directory within the study directory of the model that is kept, or to go on from."""
        if self.kept is not None or self.status != "running":
            return self.kept
        return self.epochs[-1].checkpoint if self.epochs else None

    @property
    def places(self) -> list[str]:
        """Nodes and devices that trained it, in order; more than one where it was moved."""
        return list(dict.fromkeys(f"{e.node} {e.device}" for e in self.epochs if e.node))

    @property
    def tuned(self) -> dict[str, Any]:
        """What the inner search chose; empty where there was none, or it found nothing better."""
        return self.epochs[-1].tuned if self.epochs else {}

    @property
    def metrics(self) -> dict[str, float]:
        """Last value of each metric, those of the test split among them."""
        last: dict[str, float] = {}
        for epoch in self.epochs:
            last.update(epoch.metrics)
        return {**last, **self.test.metrics} if self.test else last

    def row(self) -> dict[str, Any]:
        """The columns by which each table names a trial."""
        dealt = self.dealt
        return {
            "phase": dealt.phase,
            "arm": dealt.arm,
            "trial_key": dealt.trial_key,
            "seed": dealt.seed,
        }


def apply(records: dict[str, TrialRecord], event: Event) -> None:
    """Brings the records up to an event; hearing of an epoch or a deal again changes nothing."""
    if isinstance(event, Dealt):
        records.setdefault(event.trial_key, TrialRecord(event))
        return
    record = records[event.trial_key]
    if isinstance(event, EpochEnded):
        if event.epoch > record.num_epochs:
            record.epochs.append(event)
            record.seconds += event.seconds
    elif isinstance(event, TrialEnded):
        record.status, record.error, record.ended = event.status, event.error, event.time
        record.kept = event.checkpoint
        record.seconds += event.seconds
    elif isinstance(event, Judged):
        record.test = event
    else:
        record.mlflow_run_id = event.run_id
