"""Whether two runs of one trial agree, and what else differs between them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from study.manifest import fingerprints
from study.recorded import Recorded
from study.replaying import Replayed

TIMINGS = ("seconds", "_ms")
"""How the names of metrics end that say how long something took: shown, and not compared."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A metric in the epoch in which it differs most; in the last, where it never does."""

    metric: str
    epoch: int | None
    """None for the test split."""
    recorded: float | None
    replayed: float | None
    """None where there is none."""

    @property
    def is_timing(self) -> bool:
        """Whether it is a matter of the machine."""
        return self.metric.endswith(TIMINGS)

    @property
    def difference(self) -> float:
        """Replayed minus recorded; NaN where one of them is missing or not finite."""
        if self.recorded is None or self.replayed is None:
            return math.nan
        if not math.isfinite(self.recorded) and not math.isfinite(self.replayed):
            return 0.0  # MLflow knows no infinity, and has NaN for it
        return self.replayed - self.recorded

    def agrees(self, tolerance: float) -> bool:
        """Whether the values are the same, or as near as asked; NaN is like NaN."""
        return self.is_timing or abs(self.difference) <= tolerance


def compare(recorded: Recorded, replayed: Replayed) -> list[Row]:
    """A row a metric, those of the test split last where they were replayed."""
    rows: dict[str, Row] = {}
    for epoch in sorted(recorded.epochs):
        then, now = recorded.epochs[epoch], replayed.epochs.get(epoch, {})
        for row in _rows(then, now, epoch):
            before = rows.get(row.metric)
            if before is None or _size(row) >= _size(before):
                rows[row.metric] = row
    tested = [] if replayed.test is None else list(_rows(recorded.test or {}, replayed.test, None))
    return [*sorted(rows.values(), key=_order), *tested]


def same_end(recorded: Recorded, replayed: Replayed) -> bool:
    """Whether both failed, or neither; an epoch more than the record has is no failure."""
    return (recorded.status == "failed") == (replayed.error is not None)


def what_differs(recorded: Recorded, replayed: Replayed, here: Mapping[str, Any]) -> Iterator[str]:
    """A line for each thing that the numbers depend on, and that is not as it was.

    Args:
        recorded: the trial, with the manifest of its study.
        replayed: with the data that were read.
        here: versions, code and machine, as a manifest has them.
    """
    then = recorded.manifest
    for part in ("versions", "machine"):
        before, now = then.get(part) or {}, here[part]
        for name in dict.fromkeys([*before, *now]) if before else ():
            if before.get(name) != now.get(name):
                yield f"{name}: {_said(before.get(name))} then, {_said(now.get(name))} now"
    yield from _code(then.get("git"), here["git"])
    prints = [fingerprints(data) for data in (then.get("data") or {}).values()]
    if prints and fingerprints(replayed.data) not in prints:
        yield "data: not the images that the study read, by their fingerprint"


def _code(then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Iterator[str]:
    if then is None or now is None:
        if then != now:
            yield f"code: {_commit(then)} then, {_commit(now)} now"
        return
    if then["commit"] != now["commit"]:
        yield f"code: {_commit(then)} then, {_commit(now)} now"
    for git, when in ((then, "then"), (now, "now")):
        if git["dirty"]:
            yield f"code: changed and not committed {when}"


def _commit(git: Mapping[str, Any] | None) -> str:
    return f"commit {git['commit'][:12]}" if git else "none in git"


def _said(value: Any) -> str:
    return "none" if value in (None, []) else str(value)


def _rows(then: Mapping[str, float], now: Mapping[str, float], epoch: int | None) -> Iterator[Row]:
    for name in dict.fromkeys([*then, *now]):
        yield Row(metric=name, epoch=epoch, recorded=then.get(name), replayed=now.get(name))


def _size(row: Row) -> float:
    return math.inf if math.isnan(row.difference) else abs(row.difference)


def _order(row: Row) -> tuple[bool, str]:
    return row.is_timing, row.metric
