"""Spaces of simulated trainings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from study.space import Space

OBJECTIVE = "val/depth/abs_rel"


def simulated_space(arms: Iterable[str] = ("equal", "dwa"), **changes: Any) -> Space:
    """An arm for each weighting: 3 search trials of 3 epochs each, and no seeds to confirm."""
    content: dict[str, Any] = {
        "study": "simulated",
        "question": "Does it hold?",
        "base": {"tasks": ["depth"], "epochs": 3},
        "arms": {name: {"set": {"weighting": {"name": name}}} for name in arms},
        "objective": {"metric": OBJECTIVE, "mode": "min"},
        "search": {
            "trials_per_arm": 3,
            "space": {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}},
        },
        "compare": {"baseline": next(iter(arms)), "metrics": ["test/depth/abs_rel"]},
    }
    return Space.model_validate({**content, **changes})
