"""How far a difference holds for new seeds and new images, by what each test image says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from study.events import Judged
from study.statistics import NO_INTERVAL, Interval, image_interval, replicate_interval

_TOLERANCE = 1e-6
"""A mean over images that is further from the reported value, relative to it, is none."""


@dataclass(frozen=True, kw_only=True)
class NewImages:
    """An interval of a mean difference for new seeds and new images, or why there is none."""

    interval: Interval
    why_not: str | None = None


def new_images(
    metric: str, arm: Mapping[int, Judged], reference: Mapping[int, Judged]
) -> NewImages:
    """The interval of an arm's mean difference to its reference.

    It is there for metrics that are means over images, where each model tells them for the same
    two or more images, and for those whose values on draws of the images are known; over two or
    more seeds that both arms have.

    Args:
        metric: of the test split.
        arm: what its models reached, by seed.
        reference: the same of the reference.
    """
    both = (arm, reference)
    seeds = [
        seed
        for seed in sorted(arm.keys() & reference.keys())
        if all(math.isfinite(each[seed].metrics.get(metric, math.nan)) for each in both)
    ]
    if len(seeds) < 2:
        return _none("it takes two seeds or more")
    drawn = [{seed: each[seed].replicates.get(metric) for seed in seeds} for each in both]
    if all(values for by_seed in drawn for values in by_seed.values()):
        known = [{s: v for s, v in by_seed.items() if v is not None} for by_seed in drawn]
        return NewImages(interval=replicate_interval(*known))
    tables = [{seed: _by_image(each[seed], metric) for seed in seeds} for each in both]
    every = [table for by_seed in tables for table in by_seed.values()]
    names = sorted(every[0])
    if not all(every):
        return _none("it is not known image by image")
    if any(sorted(table) != names for table in every):
        return _none("not every model has it for the same images")
    if not all(
        _is_mean(table, each[seed].metrics[metric])
        for each, by_seed in zip(both, tables, strict=True)
        for seed, table in by_seed.items()
    ):
        return _none("it is of the whole split, and no mean over images")
    if len(names) < 2:
        return _none("it is known of one image alone")
    values = [
        {seed: [table[name] for name in names] for seed, table in by_seed.items()}
        for by_seed in tables
    ]
    return NewImages(interval=image_interval(*values))


def _none(why: str) -> NewImages:
    return NewImages(interval=NO_INTERVAL, why_not=why)


def _by_image(judged: Judged, metric: str) -> dict[str, float]:
    """Finite values of a metric by image."""
    found = {str(row["image"]): row.get(metric) for row in judged.images}
    return {
        image: float(value)
        for image, value in found.items()
        if value is not None and math.isfinite(value)
    }


def _is_mean(table: Mapping[str, float], reported: float) -> bool:
    mean = float(np.mean(list(table.values())))
    return math.isclose(mean, reported, rel_tol=_TOLERANCE, abs_tol=1e-12)
