"""What a study costs, in words: planned, and what it came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from study.cost import GIB, Cost, epoch_seconds
from study.progress import duration

_UNKNOWN = "not known"


def render_cost(cost: Cost) -> RenderableType:
    """A plan's cost, for the terminal."""
    table = Table(title="What it costs", title_justify="left")
    for heading in ("arm", "a step", "steps", "an epoch", "a checkpoint", "memory"):
        table.add_column(heading, justify="left" if heading == "arm" else "right")
    for arm, one in cost.arms.items():
        table.add_row(
            Text(arm),
            f"{1000 * one.seconds_a_step:.0f} ms",
            str(one.steps_an_epoch),
            f"{epoch_seconds(one):.1f} s",
            size(one.checkpoint_bytes),
            size(one.memory_bytes),
        )
    lines = [f"{name}: {planned}" for name, planned in planned_in_words(cost.told()).items()]
    return Group(Text(), table, Text(), *(Text(f"  {line}") for line in lines))


def planned_in_words(told: Mapping[str, Any]) -> dict[str, str]:
    """What `Cost.told` says, by what it is of."""
    concurrency = told["concurrency"]
    found = {
        f"time, at most {concurrency} at once": _span(told["hours"]),
        "device time": _span(told["device_hours"]),
        "disk, at its fullest": size(told["disk_bytes"]),
        "memory of a trial": size(told["memory_bytes"]),
    }
    if told["device_memory_bytes"]:
        found["GPU memory of a trial"] = size(told["device_memory_bytes"])
    return found


def against_actual(
    planned: Mapping[str, Any] | None, actual: Mapping[str, Any] | None
) -> list[dict[str, str]]:
    """Planned beside actual, a row each; none where nothing was planned."""
    if not planned:
        return []
    found = actual or {}
    came_to = [
        *(duration(3600 * found[n]) if n in found else _UNKNOWN for n in ("hours", "device_hours")),
        f"{size(found['disk_bytes'])} at the end" if "disk_bytes" in found else _UNKNOWN,
        *(
            size(found[name]) if found.get(name) else _UNKNOWN
            for name in ("memory_bytes", "device_memory_bytes")
        ),
    ]
    words = planned_in_words(planned)
    return [
        {"what": name, "planned": plan, "actual": came}
        for (name, plan), came in zip(words.items(), came_to, strict=False)
    ]


def size(num_bytes: float) -> str:
    """A number of bytes as a person says it."""
    if num_bytes < 0.1 * GIB:
        return (
            f"{num_bytes / 2**20:.2g} MiB" if num_bytes < 2**20 else f"{num_bytes / 2**20:.0f} MiB"
        )
    return f"{num_bytes / GIB:.1f} GiB"


def _span(hours: tuple[float, float]) -> str:
    low, high = (duration(3600 * value) for value in hours)
    return low if low == high else f"{low} to {high}"
