"""One arm over seeds, and its difference to a reference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from study.statistics.effects import effect_size
from study.statistics.intervals import Interval, bootstrap_interval, student_interval
from study.statistics.samples import finite
from study.statistics.significance import TestName, p_value, smallest_p


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One arm in one metric, over seeds."""

    num: int
    """Seeds with a value."""
    mean: float
    """NaN without any."""
    std: float
    """Sample standard deviation (n - 1); NaN with fewer than two."""
    interval: Interval
    """Of the mean, by bootstrap over seeds; NaN with fewer than two."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An arm minus its reference in one metric, over the seeds that both have."""

    num_pairs: int
    """Seeds; or test images, where nothing random is in either."""
    mean: float
    std: float
    low: float
    """Ends of the Student interval of the mean difference; NaN with fewer than two pairs."""
    high: float
    interval: Interval
    """The same by bootstrap over seeds."""
    effect: float
    """Cohen's d_z with Hedges' correction; NaN with fewer than three pairs."""
    test: TestName | Literal["images"]
    """Where the p-value is from; `images`: a bootstrap over images, where there are no seeds."""
    p_value: float
    """Two-sided; NaN without pairs."""
    smallest_p: float
    """What the test could at best give with so many pairs: 2 / 2^n."""


def summarise(values: Mapping[int, float]) -> Summary:
    """Mean and spread of an arm.

    Args:
        values: the metric by seed.
    """
    sample = finite(values.values())
    mean = float(sample.mean()) if len(sample) else math.nan
    std = float(sample.std(ddof=1)) if len(sample) > 1 else math.nan
    return Summary(num=len(sample), mean=mean, std=std, interval=bootstrap_interval(sample))


def paired_difference(
    values: Mapping[int, float], reference: Mapping[int, float], test: TestName = "permutation"
) -> Difference:
    """Compares an arm with its reference, seed by seed.

    Args:
        values: the arm's metric by seed.
        reference: the reference's metric by seed.
        test: where the p-value comes from.
    """
    common = sorted(values.keys() & reference.keys())
    sample = finite([values[seed] - reference[seed] for seed in common])
    num = len(sample)
    mean = float(sample.mean()) if num else math.nan
    std = float(sample.std(ddof=1)) if num > 1 else math.nan
    low, high = student_interval(sample)
    return Difference(
        num_pairs=num,
        mean=mean,
        std=std,
        low=low,
        high=high,
        interval=bootstrap_interval(sample),
        effect=effect_size(sample),
        test=test,
        p_value=p_value(sample, test),
        smallest_p=smallest_p(num, test),
    )
