"""How far a difference holds for new seeds and new images, by what each test image says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from study.events import Judged, Phase
from study.records import TrialRecord
from study.space import Space
from study.statistics import NO_INTERVAL, Interval, image_interval, replicate_interval

_TOLERANCE = 1e-6
"""A mean over images that is further from the reported value, relative to it, is none."""


@dataclass(frozen=True, kw_only=True)
class NewImages:
    """An interval of a mean difference for new seeds and new images, or why there is none."""

    interval: Interval
    why_not: str | None = None


def judgements(
    space: Space, records: Iterable[TrialRecord], final: Phase
) -> dict[str, dict[int, Judged]]:
    """What the models of the final phase reached on the test split, by arm and seed."""
    found: dict[str, dict[int, Judged]] = {arm: {} for arm in space.arms}
    for record in records:
        if record.test is not None and record.phase == final:
            found[record.dealt.arm][record.dealt.seed] = record.test
    return found


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
    drawn = [{seed: each[seed].replicates.get(metric, []) for seed in seeds} for each in both]
    if len(seeds) > 1 and all(values for by_seed in drawn for values in by_seed.values()):
        return NewImages(interval=replicate_interval(*drawn))
    tables = [{seed: _by_image(each[seed], metric) for seed in seeds} for each in both]
    reported = [{seed: each[seed].metrics[metric] for seed in seeds} for each in both]
    why_not = _why_not(tables, reported)
    if why_not is not None:
        return NewImages(interval=NO_INTERVAL, why_not=why_not)
    names = sorted(tables[0][seeds[0]])
    values = [{seed: [by[seed][name] for name in names] for seed in seeds} for by in tables]
    return NewImages(interval=image_interval(*values))


def _why_not(
    tables: list[dict[int, dict[str, float]]], reported: list[dict[int, float]]
) -> str | None:
    """Why there is no interval: values by image of each seed of both arms, and their means."""
    if len(tables[0]) < 2:
        return "it takes two seeds or more"
    every = [table for by_seed in tables for table in by_seed.values()]
    means = [mean for by_seed in reported for mean in by_seed.values()]
    if not all(every):
        return "it is not known image by image"
    if any(table.keys() != every[0].keys() for table in every):
        return "not every model has it for the same images"
    if not all(_is_mean(table, mean) for table, mean in zip(every, means, strict=True)):
        return "it is of the whole split, and no mean over images"
    return "it is known of one image alone" if len(every[0]) < 2 else None


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
