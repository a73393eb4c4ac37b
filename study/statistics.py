"""Whether arms differ, and how far a few seeds can tell.

Values come as plain numbers by seed. Seeds whose value is missing, NaN or infinite are left out;
what is computed says how many were used.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

CONFIDENCE = 0.95
MAX_EXACT_PAIRS = 16
"""Up to here all sign flips are enumerated: 65,536 of them."""
NUM_DRAWS = 9_999
_SEED = 20_240_607
_Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One arm in one metric, over seeds."""

    num: int
    """Seeds with a value."""
    mean: float
    """NaN without any."""
    std: float
    """Sample standard deviation (n - 1); NaN with fewer than two."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An arm minus its reference in one metric, over the seeds that both have."""

    num_pairs: int
    mean: float
    std: float
    low: float
    """Ends of the Student interval of the mean difference; NaN with fewer than two pairs."""
    high: float
    p_value: float
    """Two-sided exact sign-flip permutation test; NaN without pairs."""
    smallest_p: float
    """What the test could at best give with so many pairs: 2 / 2^n."""


def summarise(values: Mapping[int, float]) -> Summary:
    """Mean and spread of an arm.

    Args:
        values: the metric by seed.
    """
    sample = _finite(values.values())
    mean = float(sample.mean()) if len(sample) else math.nan
    std = float(sample.std(ddof=1)) if len(sample) > 1 else math.nan
    return Summary(num=len(sample), mean=mean, std=std)


def paired_difference(values: Mapping[int, float], reference: Mapping[int, float]) -> Difference:
    """Compares an arm with its reference, seed by seed.

    Args:
        values: the arm's metric by seed.
        reference: the reference's metric by seed.
    """
    common = sorted(values.keys() & reference.keys())
    sample = _finite([values[seed] - reference[seed] for seed in common])
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
        p_value=sign_flip_p(sample),
        smallest_p=smallest_p(num),
    )


def student_interval(sample: Sequence[float] | _Array) -> tuple[float, float]:
    """Student's interval of a mean, for normal values; NaN with fewer than two."""
    found = np.asarray(sample, dtype=np.float64)
    if len(found) < 2:
        return math.nan, math.nan
    error = float(found.std(ddof=1)) / math.sqrt(len(found))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(found) - 1)) * error
    return float(found.mean()) - reach, float(found.mean()) + reach


def sign_flip_p(differences: Sequence[float] | _Array) -> float:
    """Two-sided p-value of paired differences when, with no effect, each sign is a coin's.

    All 2^n assignments of signs are tried (Fisher 1935) up to 16 pairs; beyond, 9,999 random ones
    and the observed one. NaN without pairs; 1 when all differences are zero.
    """
    found = np.asarray(differences, dtype=np.float64)
    num = len(found)
    if num == 0:
        return math.nan
    if num <= MAX_EXACT_PAIRS:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=num)))
    else:
        drawn = np.random.default_rng(_SEED).choice((1.0, -1.0), size=(NUM_DRAWS, num))
        signs = np.concatenate([np.ones((1, num)), drawn])
    observed = abs(found.sum())
    tolerance = 1e-9 * float(np.abs(found).sum())
    return float(np.mean(np.abs(signs @ found) >= observed - tolerance))


def smallest_p(num_pairs: int) -> float:
    """The smallest two-sided p-value that so many pairs allow by sign flips; NaN for none."""
    if num_pairs == 0:
        return math.nan
    if num_pairs > MAX_EXACT_PAIRS:
        return 1 / (NUM_DRAWS + 1)
    return 2.0 ** (1 - num_pairs)


def pairs_needed(alpha: float, num_comparisons: int = 1) -> int:
    """How many pairs a sign-flip test needs to be able to reach a level, after Holm's correction.

    The first of Holm's steps is meant: the smallest p-value times the number of comparisons.
    """
    return 1 + math.ceil(math.log2(num_comparisons / alpha))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts p-values for their number (Holm 1979); NaN stays NaN and does not count."""
    order = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    adjusted = [math.nan] * len(p_values)
    running = 0.0
    for rank, (p, index) in enumerate(order):
        running = max(running, min(1.0, p * (len(order) - rank)))
        adjusted[index] = running
    return adjusted


def _finite(values: Iterable[float]) -> _Array:
    array = np.asarray(list(values), dtype=np.float64)
    found: _Array = array[np.isfinite(array)]
    return found
