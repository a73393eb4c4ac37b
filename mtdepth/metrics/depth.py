"""How good a depth map is: KITTI's protocol, and what it hides about objects that move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from mtdepth.config import Crop
from mtdepth.metrics.errors import (
    BoolArray,
    FloatArray,
    abs_rel,
    correlation,
    seven_metrics,
    within,
)
from mtdepth.metrics.regions import region_metrics

MIN_DEPTH_M, MAX_DEPTH_M = 1e-3, 80.0
"""Predictions are clipped to this; under a crop, truth outside is left out."""
CROPS: dict[Crop, tuple[float, float, float, float]] = {
    "garg": (0.40810811, 0.99189189, 0.03594771, 0.96405229),
    "cityscapes": (256 / 768, 1, 192 / 2048, 1856 / 2048),
}
"""Top, bottom, left and right, as shares of height and width: for KITTI (Garg et al. 2016), and for
Cityscapes without its lower quarter (Watson et al. 2021)."""


def evaluate_image(
    disparity: FloatArray,
    true_depth_m: FloatArray,
    *,
    crop: Crop,
    motion: NDArray[np.integer] | None = None,
    instances: NDArray[np.integer] | None = None,
) -> dict[str, float]:
    """Judges one image after median scaling (Zhou et al. 2017), so that scale does not count.

    Args:
        disparity: (h, w) predicted inverse depth, positive and up to scale; resized to the truth.
        true_depth_m: (H, W) metres, 0 where unknown.
        crop: which pixels are judged, see `EvaluationConfig`.
        motion: (H, W), 1, 2 and 3 on static, moving and co-moving instances.
        instances: (H, W) instance map, 0 for background; needed for the regions' `hole_rate`.

    Returns:
        By name: KITTI's seven metrics, `log_corr` (correlation of log depths; 0 for a constant
        prediction), `constant_abs_rel` and `constant_a1` (what a constant map gets), and those of
        `region_metrics`. Empty where no pixel is judged. A NaN in the prediction makes NaNs.
    """
    judged = _judged(true_depth_m, crop)
    if not judged.any():
        return {}
    true = true_depth_m[judged].astype(np.float64)
    predicted = 1 / _resized(disparity, true_depth_m.shape)[judged].astype(np.float64)
    constant = np.median(true)
    predicted *= constant / np.median(predicted)
    predicted = predicted.clip(MIN_DEPTH_M, MAX_DEPTH_M)
    found = seven_metrics(predicted, true)
    found["log_corr"] = correlation(np.log(predicted), np.log(true))
    found["constant_abs_rel"] = abs_rel(constant, true)
    found["constant_a1"] = within(constant, true, 1.25)
    if motion is not None:
        numbers = None if instances is None else instances[judged]
        found |= region_metrics(predicted, true, motion[judged], numbers)
    return found


def mean_metrics(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over the images that have it; NaN where one of them is NaN."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}


def _judged(true_depth_m: FloatArray, crop: Crop) -> BoolArray:
    if crop == "none":
        return true_depth_m > 0
    height, width = true_depth_m.shape
    shares = np.array(CROPS[crop]) * [height, height, width, width]
    top, bottom, left, right = shares.astype(np.int32)
    inside = np.zeros((height, width), dtype=bool)
    inside[top:bottom, left:right] = True
    return inside & (true_depth_m > MIN_DEPTH_M) & (true_depth_m < MAX_DEPTH_M)


def _resized(disparity: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    if disparity.shape == shape:
        return disparity
    maps = torch.from_numpy(np.ascontiguousarray(disparity, dtype=np.float32))[None, None]
    resized: FloatArray = F.interpolate(maps, shape, mode="bilinear")[0, 0].numpy()
    return resized
