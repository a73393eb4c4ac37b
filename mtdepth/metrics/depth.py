"""How good a depth map is: KITTI's protocol, and what it hides about objects that move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from mtdepth.metrics.names import REGIONS

MIN_DEPTH_M, MAX_DEPTH_M = 1e-3, 80.0
"""Truth outside is left out, predictions are clipped (Eigen et al. 2014)."""
GARG_CROP = (0.40810811, 0.99189189, 0.03594771, 0.96405229)
"""Top, bottom, left and right, as shares of height and width (Garg et al. 2016)."""
HOLE_FACTOR = 2.0
"""A pixel predicted more than this many times too far is a hole: what photometric training
digs where an object moves with the camera (Godard et al. 2019, sec. 3.2)."""
FLAT_LOG = 1e-6
"""Log depth that spreads less than this is constant but for the rounding of 32-bit numbers."""

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]


def evaluate_image(
    disparity: FloatArray,
    true_depth_m: FloatArray,
    *,
    crop: bool,
    motion: NDArray[np.integer] | None = None,
) -> dict[str, float]:
    """Judges one image after median scaling (Zhou et al. 2017), so that scale does not count.

    Args:
        disparity: (h, w) predicted inverse depth, positive and up to scale; resized to the truth.
        true_depth_m: (H, W) metres, 0 where unknown.
        crop: judge inside the Garg crop only.
        motion: (H, W), 1, 2 and 3 on static, moving and co-moving instances.

    Returns:
        By name: KITTI's seven metrics, `log_corr` (correlation of log depths; 0 for a constant
        prediction), `constant_abs_rel` and `constant_a1` (what a constant map gets), and for
        each region of `motion` with true depth, as `<region>/<metric>`, `abs_rel`, `rmse`, `a1`
        and `hole_rate`. Empty where no pixel has true depth. A NaN in the prediction makes NaNs.
    """
    valid = (true_depth_m > MIN_DEPTH_M) & (true_depth_m < MAX_DEPTH_M)
    if crop:
        valid &= _garg_mask(true_depth_m.shape)
    if not valid.any():
        return {}
    true = true_depth_m[valid].astype(np.float64)
    predicted = 1 / _resized(disparity, true_depth_m.shape)[valid].astype(np.float64)
    predicted *= np.median(true) / np.median(predicted)
    predicted = predicted.clip(MIN_DEPTH_M, MAX_DEPTH_M)
    constant = np.full_like(true, np.median(true))
    found = seven_metrics(predicted, true)
    found["log_corr"] = _correlation(np.log(predicted), np.log(true))
    found["constant_abs_rel"] = _abs_rel(constant, true)
    found["constant_a1"] = _within(constant, true, 1.25)
    if motion is not None:
        region_of = motion[valid]
        for value, region in enumerate(REGIONS, start=1):
            inside = region_of == value
            if inside.any():
                scores = _region_metrics(predicted[inside], true[inside])
                found |= {f"{region}/{name}": score for name, score in scores.items()}
    return found


def seven_metrics(predicted_m: FloatArray, true_m: FloatArray) -> dict[str, float]:
    """KITTI's seven metrics of (N,) positive depths (Eigen et al. 2014, sec. 4.3)."""
    return {
        "abs_rel": _abs_rel(predicted_m, true_m),
        "sq_rel": float(np.mean((predicted_m - true_m) ** 2 / true_m)),
        "rmse": _rmse(predicted_m, true_m),
        "rmse_log": _rmse(np.log(predicted_m), np.log(true_m)),
        "a1": _within(predicted_m, true_m, 1.25),
        "a2": _within(predicted_m, true_m, 1.25**2),
        "a3": _within(predicted_m, true_m, 1.25**3),
    }


def mean_metrics(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over the images that have it; NaN where one of them is NaN."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}


def _region_metrics(predicted_m: FloatArray, true_m: FloatArray) -> dict[str, float]:
    return {
        "abs_rel": _abs_rel(predicted_m, true_m),
        "rmse": _rmse(predicted_m, true_m),
        "a1": _within(predicted_m, true_m, 1.25),
        "hole_rate": _share(predicted_m / true_m > HOLE_FACTOR, predicted_m),
    }


def _abs_rel(predicted: FloatArray, true: FloatArray) -> float:
    return float(np.mean(np.abs(predicted - true) / true))


def _rmse(predicted: FloatArray, true: FloatArray) -> float:
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


def _within(predicted: FloatArray, true: FloatArray, threshold: float) -> float:
    return _share(np.maximum(predicted / true, true / predicted) < threshold, predicted)


def _share(passed: BoolArray, predicted: FloatArray) -> float:
    """How many pass; a NaN passes no comparison, and must not count as a failure either."""
    return float("nan") if np.isnan(predicted).any() else float(np.mean(passed))


def _correlation(first: FloatArray, second: FloatArray) -> float:
    if min(first.std(), second.std()) < FLAT_LOG:
        return 0.0
    first, second = first - first.mean(), second - second.mean()
    return float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum()))


def _garg_mask(shape: tuple[int, ...]) -> BoolArray:
    top, bottom, left, right = GARG_CROP
    height, width = shape
    mask = np.zeros(shape, dtype=bool)
    mask[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = True
    return mask


def _resized(disparity: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    if disparity.shape == shape:
        return disparity
    maps = torch.from_numpy(np.ascontiguousarray(disparity, dtype=np.float32))[None, None]
    resized: FloatArray = F.interpolate(maps, shape, mode="bilinear")[0, 0].numpy()
    return resized
