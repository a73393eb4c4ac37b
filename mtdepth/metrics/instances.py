"""How good instances are: COCO's average precision without classes, and the error of offsets.

Against maps that a teacher drew, all of it tells of agreement with the teacher, not of accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mtdepth.instances.clustering import Instances
from mtdepth.metrics.coco import match


def average_precision(
    predicted: Sequence[Instances], true: Sequence[NDArray[np.integer]], *, min_area: int
) -> dict[str, float]:
    """COCO's average precision (Lin et al. 2014) of masks, all of one class.

    Objects count in the order of their `Instances.scores`, how tightly their votes lie.

    Args:
        predicted: objects of each image.
        true: (H, W) instance map of each image, 0 for background.
        min_area: true instances with fewer pixels are ignored, as COCO ignores crowds: finding
            them neither helps nor hurts.

    Returns:
        `ap`, the mean over IoU thresholds 0.5, 0.55, ..., 0.95, and `ap50`, at 0.5; both in
        [0, 1]. Empty where no true instance counts, since precision is undefined there: there
        is no NaN.
    """
    evaluation = match(predicted, true, min_area=min_area)
    if evaluation is None:
        return {}
    precision = evaluation.eval["precision"][:, :, 0, 0, 0]
    return {"ap": float(precision.mean()), "ap50": float(precision[0].mean())}


def offset_errors(predicted_px: Tensor, true_px: Tensor, foreground: Tensor) -> dict[str, float]:
    """Mean distance of predicted and true offsets over foreground pixels.

    Args:
        predicted_px: (..., 2, H, W) in pixels.
        true_px: the same.
        foreground: (..., H, W) bool.

    Returns:
        `offset_error_px`, and `zero_offset_error_px`, what offsets of zero get. Empty where
        there is no foreground. A NaN in a prediction makes a NaN here.
    """
    if not foreground.any():
        return {}
    error = _length(predicted_px - true_px)[foreground].mean()
    zero = _length(true_px)[foreground].mean()
    return {"offset_error_px": float(error), "zero_offset_error_px": float(zero)}


def _length(vectors: Tensor) -> Tensor:
    """(..., H, W) of (..., 2, H, W); `norm` takes a CPU 40 times as long."""
    return vectors.square().sum(-3).sqrt()
