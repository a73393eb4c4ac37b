"""Tests of paired differences, exact where few pairs allow it.

Both take it that, with no effect, a difference is as likely to be positive as negative. That holds
whatever the values' distribution when an arm's is the same as its reference's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import stats

from study.statistics.samples import NUM_DRAWS, SEED, Array

TestName = Literal["permutation", "wilcoxon"]
MAX_EXACT_PAIRS = 16
"""Up to here all sign flips are enumerated: 65,536 of them."""
_NUM_DIGITS = 9
"""Differences that agree in so many digits are ties: the rest is rounding."""


def sign_flip_p(differences: Sequence[float] | Array) -> float:
    """Two-sided p-value of paired differences when, with no effect, each sign is a coin's.

    All 2^n assignments of signs are tried (Fisher 1935) up to 16 pairs; beyond, 9,999 random ones
    and the observed one. NaN without pairs; 1 when all differences are zero.
    """
    found = np.asarray(differences, dtype=np.float64)
    if len(found) == 0:
        return math.nan
    observed = abs(found.sum())
    tolerance = 1e-9 * float(np.abs(found).sum())
    return float(np.mean(np.abs(_signs(len(found)) @ found) >= observed - tolerance))


@lru_cache(maxsize=4)
def _signs(num: int) -> Array:
    """(D, num) assignments of signs, all or many."""
    if num <= MAX_EXACT_PAIRS:
        return np.array(list(itertools.product((1.0, -1.0), repeat=num)))
    drawn = np.random.default_rng(SEED).choice((1.0, -1.0), size=(NUM_DRAWS, num))
    return np.concatenate([np.ones((1, num)), drawn])


def wilcoxon_p(differences: Sequence[float] | Array) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test (1945), exact for any number of pairs.

    Differences of zero are left out, equal ones share the mean of their ranks, and the
    distribution is of those very ranks, where SciPy's exact method takes it that there are no
    ties. NaN without pairs; 1 when all differences are zero.
    """
    found = np.asarray(differences, dtype=np.float64)
    if len(found) == 0:
        return math.nan
    found = found[found != 0]
    sizes = [float(f"{size:.{_NUM_DIGITS}g}") for size in np.abs(found)]
    doubled = np.rint(2 * stats.rankdata(sizes)).astype(int)
    positive, total = int(doubled[found > 0].sum()), int(doubled.sum())
    tail = _rank_sums(tuple(sorted(doubled.tolist())))[: min(positive, total - positive) + 1]
    return min(1.0, 2 * float(tail.sum()))


@lru_cache(maxsize=64)
def _rank_sums(doubled_ranks: tuple[int, ...]) -> Array:
    """How likely each sum is of those ranks (doubled: whole numbers) whose sign is positive."""
    chances = np.zeros(sum(doubled_ranks) + 1)
    chances[0] = 1.0
    for rank in doubled_ranks:
        shifted = np.zeros_like(chances)
        shifted[rank:] = chances[: len(chances) - rank]
        chances = (chances + shifted) / 2
    return chances


TESTS: Mapping[TestName, Callable[[Sequence[float] | Array], float]] = {
    "permutation": sign_flip_p,
    "wilcoxon": wilcoxon_p,
}


def p_value(differences: Sequence[float] | Array, test: TestName = "permutation") -> float:
    """Two-sided p-value by one of `TESTS`."""
    if test not in TESTS:
        raise ValueError(f"expected a test among {', '.join(TESTS)}, found {test!r}")
    return TESTS[test](differences)


def is_exact(num_pairs: int, test: TestName = "permutation") -> bool:
    """Whether a test tries all that may be, or draws at random."""
    return test == "wilcoxon" or num_pairs <= MAX_EXACT_PAIRS


def smallest_p(num_pairs: int, test: TestName = "permutation") -> float:
    """The smallest two-sided p-value that so many pairs allow; NaN for none.

    When all pairs agree, both tests give 2 / 2^n; one that draws, one in its number of draws.
    """
    if num_pairs == 0:
        return math.nan
    if not is_exact(num_pairs, test):
        return 1 / (NUM_DRAWS + 1)
    return 2.0 ** (1 - num_pairs)


def pairs_needed(alpha: float, num_comparisons: int = 1) -> int:
    """How many pairs either test needs to be able to reach a level, after Holm's correction.

    The first of Holm's steps is meant: the smallest p-value times the number of comparisons.
    Beyond 500 comparisons, random sign flips are too coarse, and Wilcoxon's test is the one.
    """
    return 1 + math.ceil(math.log2(num_comparisons / alpha))
