"""What learning tasks together gains over learning each alone."""

from __future__ import annotations

import math

from study.report.numbers import ABSENT, gain
from study.results import Results


def gain_rows(results: Results) -> list[dict[str, str]]:
    """An arm a row."""
    return [
        {
            "arm": found.arm,
            "gain": gain(found.summary),
            "interval": _span(*found.interval),
            "bootstrap": _span(*found.summary.interval),
            "seeds": str(found.summary.num),
            "tasks": ", ".join(f"{part.task} {_per_cent(part.mean)}" for part in found.tasks),
        }
        for found in results.gains
    ]


def gain_of(results: Results, arm: str) -> str:
    """An arm's gain, or a dash."""
    return next((gain(found.summary) for found in results.gains if found.arm == arm), ABSENT)


def gain_notes(results: Results) -> list[str]:
    """Of which metrics it is made, and what it does not say."""
    if not results.gains:
        return []
    parts = {
        f"{part.task} by {part.metric} over {part.alone}"
        for found in results.gains
        for part in found.tasks
    }
    return [
        "Δm is the mean over tasks of the relative gain over the arm that learns the task alone, "
        "in per cent, seed by seed (Maninis et al. 2019, Vandenhende et al. 2021); above 0 is "
        f"better. Here: {'; '.join(sorted(parts))}.",
        "It weighs tasks by how their metrics happen to be scaled, and is not tested: claims are "
        "made by the differences above.",
    ]


def _span(low: float, high: float) -> str:
    return ABSENT if math.isnan(low) else f"{low:+.2f} to {high:+.2f}"


def _per_cent(value: float) -> str:
    return ABSENT if math.isnan(value) else f"{value:+.2f}"
