"""Two studies side by side: how they differ, and what the same arms reached in each.

Seeds are pairs across studies only where both studies have the same ones, and read the same data;
otherwise the two samples are taken as independent (Welch 1947).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study import statistics
from study.manifest import fingerprints
from study.nesting import flattened
from study.results import Results, read_results

Values = Mapping[int, float]
"""A metric by seed."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One arm in one metric, in both studies."""

    arm: str
    metric: str
    a: statistics.Summary
    b: statistics.Summary
    difference: float
    """Mean of B minus mean of A, over common seeds where these are pairs; NaN where one is not."""
    low: float
    """Ends of its 95 % interval; NaN with fewer than two values in either."""
    high: float


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """Two studies."""

    a: Results
    b: Results
    settings: list[tuple[str, Any, Any]]
    """What their spaces say differently: dotted name, in A, in B; None where nothing is said."""
    cells: list[Cell]
    why_unpaired: str | None
    """Why the seeds are no pairs across the studies; None where they are."""


def side_by_side(a: Path, b: Path) -> SideBySide:
    """Reads two study directories, finished or not.

    Raises:
        ValueError: one holds no study.
    """
    first, second = read_results(a), read_results(b)
    why = _why_unpaired(first, second)
    arms = dict.fromkeys([*first.space.arms, *second.space.arms])
    metrics = dict.fromkeys([*first.metrics(), *second.metrics()])
    cells = [
        _cell(arm, metric, _values(first, arm, metric), _values(second, arm, metric), why is None)
        for metric in metrics
        for arm in arms
    ]
    return SideBySide(
        a=first,
        b=second,
        settings=_settings(first, second),
        cells=[cell for cell in cells if cell.a.num or cell.b.num],
        why_unpaired=why,
    )


def _settings(a: Results, b: Results) -> list[tuple[str, Any, Any]]:
    said = [dict(flattened(x.space.model_dump(mode="json"))) for x in (a, b)]
    names = dict.fromkeys([*said[0], *said[1]])
    told = [(name, said[0].get(name), said[1].get(name)) for name in names]
    return [(name, first, second) for name, first, second in told if first != second]


def _why_unpaired(a: Results, b: Results) -> str | None:
    seeds = [x.space.confirm.seeds for x in (a, b)]
    if not (seeds[0] and seeds[1]):
        return "a study that confirms nothing has no seeds to pair"
    if set(seeds[0]) != set(seeds[1]):
        return f"the seeds are not the same ({_listed(seeds[0])} and {_listed(seeds[1])})"
    if not _data(a) or _data(a) != _data(b):
        return "the data are not the same, by their fingerprints"
    return None


def _listed(seeds: tuple[int, ...]) -> str:
    return ", ".join(map(str, seeds))


def _data(results: Results) -> list[dict[str, str]]:
    """Fingerprint by split, of each data set."""
    return [fingerprints(splits) for splits in (results.manifest.get("data") or {}).values()]


def _values(results: Results, arm: str, metric: str) -> Values:
    return results.values.get(arm, {}).get(metric, {})


def _cell(arm: str, metric: str, a: Values, b: Values, paired: bool) -> Cell:
    first, second = statistics.summarise(a), statistics.summarise(b)
    if paired:
        found = statistics.paired_difference(b, a)
        mean, low, high = found.mean, found.low, found.high
    else:
        mean = second.mean - first.mean
        low, high = _welch(first, second)
    return Cell(arm=arm, metric=metric, a=first, b=second, difference=mean, low=low, high=high)


def _welch(a: statistics.Summary, b: statistics.Summary) -> tuple[float, float]:
    """Interval of the difference of two means of independent samples, unlike in spread."""
    if min(a.num, b.num) < 2:
        return math.nan, math.nan
    squares = [x.std**2 / x.num for x in (a, b)]
    error, mean = math.sqrt(sum(squares)), b.mean - a.mean
    if error == 0:
        return mean, mean
    from scipy import stats

    parts = (square**2 / (x.num - 1) for square, x in zip(squares, (a, b), strict=True))
    reach = float(stats.t.ppf((1 + statistics.CONFIDENCE) / 2, sum(squares) ** 2 / sum(parts)))
    return mean - reach * error, mean + reach * error
