"""How far predicted depths are from true ones, whatever they were picked by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FLAT_LOG = 1e-6
"""Log depth that spreads less than this is constant but for the rounding of 32-bit numbers."""

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]


def seven_metrics(predicted_m: FloatArray, true_m: FloatArray) -> dict[str, float]:
    """KITTI's seven metrics of (N,) positive depths (Eigen et al. 2014, sec. 4.3).

    A NaN in the prediction makes all of them NaN.
    """
    factor = _factor(predicted_m, true_m)
    return {
        "abs_rel": abs_rel(predicted_m, true_m),
        "sq_rel": float(np.mean((predicted_m - true_m) ** 2 / true_m)),
        "rmse": rmse(predicted_m, true_m),
        "rmse_log": rmse(np.log(predicted_m), np.log(true_m)),
        **{f"a{i}": share(factor < 1.25**i, factor) for i in (1, 2, 3)},
    }


def abs_rel(predicted: FloatArray | np.floating, true: FloatArray) -> float:
    """Mean error as a share of the truth."""
    return float(np.mean(np.abs(predicted - true) / true))


def rmse(predicted: FloatArray, true: FloatArray) -> float:
    """Root mean square error, in the unit of its arguments."""
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


def within(predicted: FloatArray | np.floating, true: FloatArray, threshold: float) -> float:
    """The share that is wrong by less than this factor, either way."""
    factor = _factor(predicted, true)
    return share(factor < threshold, factor)


def _factor(predicted: FloatArray | np.floating, true: FloatArray) -> FloatArray:
    """By which each is wrong, at least 1, either way."""
    return np.maximum(predicted / true, true / predicted)


def share(passed: BoolArray, compared: FloatArray) -> float:
    """How many pass; a NaN passes no comparison, and must not count as a failure either."""
    return float("nan") if np.isnan(compared).any() else float(np.mean(passed))


def correlation(first: FloatArray, second: FloatArray) -> float:
    """Pearson's correlation of log depths, 0 where one of them is constant."""
    if min(first.std(), second.std()) < FLAT_LOG:
        return 0.0
    first, second = first - first.mean(), second - second.mean()
    return float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum()))
