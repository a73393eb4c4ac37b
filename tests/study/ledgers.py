"""Studies told by hand: a ledger is written as if they had been run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.events import Dealt, EpochEnded, Event, Judged, TrialEnded
from study.ledger import Ledger
from study.space import Space

METRIC = "test/depth/abs_rel"
"""Lower is better."""
SCORE = "test/depth/a1"
"""Higher is better."""
MANIFEST = {
    "study_id": "told-1",
    "started": "2026-01-01T00:00:00.000+00:00",
    "ended": "2026-01-01T03:00:00.000+00:00",
    "test_opened": "2026-01-01T02:00:00.000+00:00",
    "command": "python -m study.run --space told.yaml",
    "versions": {"python": "3.11.0", "torch": "2.0"},
    "git": None,
}


def told_space(**changes: Any) -> Space:
    """A space of two depth arms, `a` the baseline, confirmed with three seeds."""
    content: dict[str, Any] = {
        "study": "told",
        "question": "Does it?",
        "base": {"tasks": ["depth"], "epochs": 1},
        "arms": {"a": {}, "b": {}},
        "objective": {"metric": "val/depth/abs_rel", "mode": "min"},
        "confirm": {"seeds": [1, 2, 3]},
        "compare": {"baseline": "a", "metrics": [METRIC]},
    }
    return Space.model_validate({**content, **changes})


def trial(
    arm: str,
    seed: int = 0,
    *,
    phase: str = "confirm",
    number: int | None = None,
    params: Mapping[str, Any] | None = None,
    val: float = 1.0,
    epochs: int = 1,
    status: str = "completed",
    error: str | None = None,
    test: Mapping[str, float] | None = None,
    images: list[dict[str, Any]] | None = None,
) -> list[Event]:
    """What a ledger holds of one training.

    Args:
        arm: its arm.
        seed: its seed.
        phase: `search` or `confirm`.
        number: of a search trial within its arm.
        params: values of searched fields.
        val: its objective, in each of its epochs.
        epochs: how many it reported.
        status: how it ended; `running` if it has not.
        error: why it failed.
        test: what it reached on the test split, if it was judged.
        images: the same for each image; left out, for one.
    """
    key = f"{phase}-{arm}-{f'seed{seed}' if number is None else f'{number:03d}'}"
    dealt: Any = {"trial_key": key, "phase": phase, "arm": arm, "seed": seed, "num_epochs": epochs}
    told: list[Event] = [
        Dealt(**dealt, params=dict(params or {}), config={}, time="2026-01-01T00:00:00.000+00:00")
    ]
    told += [
        EpochEnded(
            trial_key=key,
            epoch=epoch,
            metrics={"val/depth/abs_rel": val},
            checkpoint=None,
            seconds=60.0,
            time="2026-01-01T00:30:00.000+00:00",
        )
        for epoch in range(1, epochs + 1)
    ]
    if status != "running":
        ended: Any = {"status": status, "error": error, "time": "2026-01-01T01:00:00.000+00:00"}
        told.append(TrialEnded(trial_key=key, **ended))
    if test is not None:
        rows = [{"image": "x.png", **test}] if images is None else images
        told.append(Judged(trial_key=key, metrics=dict(test), images=rows))
    return told


def confirmed(values: Mapping[str, Mapping[int, float]], metric: str = METRIC) -> list[Event]:
    """Confirmed and tested trainings: values of one metric by arm and seed."""
    return [
        event
        for arm, by_seed in values.items()
        for seed, value in by_seed.items()
        for event in trial(arm, seed, test={metric: value})
    ]


def write_study(
    directory: Path, events: list[Event], space: Space | None = None, **manifest: Any
) -> Path:
    """A study directory in which these events have happened."""
    ledger = Ledger.create(directory, space or told_space(), {**MANIFEST, **manifest})
    for event in events:
        ledger.append(event)
    ledger.close()
    return directory
