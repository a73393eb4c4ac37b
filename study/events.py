"""What happens in a study, one small record each. The ledger is the list of them.

Everything else that a study knows (its tables, Optuna's studies, the scheduler's rungs, MLflow's
runs) follows from these in their order, and is rebuilt from them after a crash.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Phase = Literal["search", "confirm"]
Status = Literal["completed", "pruned", "cut", "failed", "running"]
"""`pruned`: stopped early, as poor. `cut`: cut short, as the budget of the study was spent."""


def now() -> str:
    """The time, in UTC, as ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, kw_only=True)
class Dealt:
    """A trial was given out: its parameters stand from here on, whatever is killed."""

    trial_key: str
    """Name within the study, such as `search-mt-dwa-003` or `confirm-mt-dwa-seed2`."""
    phase: Phase
    arm: str
    seed: int
    params: dict[str, Any]
    """Values of the searched fields, by dotted name."""
    config: dict[str, Any]
    """The whole training, nested."""
    num_epochs: int
    """Epochs that it is to train."""
    time: str = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class EpochEnded:
    """A trial reported an epoch."""

    trial_key: str
    epoch: int
    """Counted from 1."""
    metrics: dict[str, float]
    checkpoint: str | None
    """Directory within the study directory to go on from."""
    seconds: float
    """Since the trial's last report, or its start."""
    tuned: dict[str, Any] = field(default_factory=dict)
    """What the inner search chose, by dotted name."""
    system: dict[str, float] = field(default_factory=dict)
    """What it took of the machine, as `study.system_metrics` measures it; never compared."""
    node: str = ""
    """Of Ray, which trained it: `<host>-<start of the node's id>`."""
    device: str = ""
    """`cpu`, or the GPU's name."""
    time: str = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class TrialEnded:
    """A trial is over, for good."""

    trial_key: str
    status: Literal["completed", "pruned", "cut", "failed"]
    error: str | None = None
    """Why it failed, in one line."""
    checkpoint: str | None = None
    """Directory of the trained model within the study directory, where it is kept."""
    seconds: float = 0.0
    """Since the trial's last report."""
    time: str = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A trained model was judged on the test split."""

    trial_key: str
    metrics: dict[str, float]
    images: list[dict[str, Any]]
    """A row an image: `image`, and metrics."""
    replicates: dict[str, list[float]] = field(default_factory=dict)
    """Metrics that are no means over images, on bootstrap draws of the images."""
    time: str = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """A trial has a run in MLflow."""

    trial_key: str
    run_id: str
    time: str = field(default_factory=now)


Event = Dealt | EpochEnded | TrialEnded | Judged | Tracked
_KINDS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (Dealt, EpochEnded, TrialEnded, Judged, Tracked)
}


def encode(event: Event) -> str:
    """One line of JSON, without the line's end."""
    return json.dumps({"event": type(event).__name__, **vars(event)})


def decode(line: str) -> Event:
    """The event of a line.

    Raises:
        ValueError: it is not one, or of a kind that this version does not know.
    """
    fields = json.loads(line)
    kind = fields.pop("event", None) if isinstance(fields, dict) else None
    if kind not in _KINDS:
        raise ValueError(f"expected one of the events {', '.join(_KINDS)}, found {kind!r}")
    return _KINDS[kind](**fields)
