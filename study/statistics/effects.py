"""How large a difference is, in units of its own spread."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from study.statistics.samples import Array

_ROUNDING = 1e-9
"""Spreads that are smaller than the mean by this factor are rounding, and mean none."""


def effect_size(differences: Sequence[float] | Array) -> float:
    """Cohen's d of paired differences (d_z), corrected for few pairs (Hedges 1981).

    The mean difference over the standard deviation of differences, times a factor below 1 that
    takes away what few pairs overstate: 0.72 with four pairs, 0.91 with ten. 0.5 is often called
    medium and 0.8 large (Cohen 1988); trainings that share a seed can differ by much more.

    Returns:
        NaN with fewer than three pairs, where no such correction exists. Where all differences are
        the same, 0 if they are zero, and else infinity with their sign.
    """
    found = np.asarray(differences, dtype=np.float64)
    if len(found) < 3:
        return math.nan
    mean, std = float(found.mean()), float(found.std(ddof=1))
    if std <= _ROUNDING * abs(mean):
        return math.copysign(math.inf, mean) if mean else 0.0
    return hedges_correction(len(found)) * mean / std


def hedges_correction(num_pairs: int) -> float:
    """The factor that makes d_z unbiased for normal differences; exact, by gamma functions."""
    freedom = num_pairs - 1
    log_ratio = special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2)
    return math.exp(log_ratio) / math.sqrt(freedom / 2)
