"""Panoptic quality of instances without classes (Kirillov et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtdepth.instances.clustering import Instances
from mtdepth.instances.numbering import numbered
from mtdepth.metrics.coco import expect_fitting


def panoptic_quality(
    predicted: Sequence[Instances], true: Sequence[NDArray[np.integer]], *, min_area: int
) -> dict[str, float]:
    """PQ, SQ and RQ (section 4.2), over all images at once; scores play no part.

    A predicted and a true instance match where their IoU is over 0.5, which no two others can
    have with them. Against a teacher's maps this is agreement, not accuracy.

    Args:
        predicted: objects of each image.
        true: (H, W) instance map of each image, 0 for background.
        min_area: true instances with fewer pixels are ignored, and with them what is predicted
            by more than half within them, as the paper does with groups of objects.

    Returns:
        `sq`, the mean IoU of matches (0 if there are none); `rq`, matches over the mean number of
        predicted and true instances; `pq`, their product; all in [0, 1]. Empty where no true
        instance counts, as in `average_precision`: there is no NaN.
    """
    expect_fitting(predicted, true)
    ious: list[float] = []
    num_predicted = num_true = 0
    for ours, theirs in zip(predicted, true, strict=True):
        matched, of_ours, of_theirs = image_matches(ours.map, theirs, min_area)
        ious += matched
        num_predicted += of_ours
        num_true += of_theirs
    if num_true == 0:
        return {}
    quality = float(np.mean(ious)) if ious else 0.0
    recognition = len(ious) / ((num_predicted + num_true) / 2)
    return {"pq": quality * recognition, "sq": quality, "rq": recognition}


def image_matches(
    predicted: NDArray[np.integer], true: NDArray[np.integer], min_area: int
) -> tuple[list[float], int, int]:
    """IoU of the matches in an image, and how many predicted and true instances count."""
    ours, of_ours = numbered(predicted)
    theirs, of_theirs = numbered(true)
    shape = (len(ours), len(theirs))
    place = of_ours.ravel() * shape[1] + of_theirs.ravel()
    shared = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)
    area, true_area = shared.sum(1), shared.sum(0)
    counts = (theirs != 0) & (true_area >= min_area)
    small = (theirs != 0) & ~counts
    iou = shared / (area[:, None] + true_area - shared)
    match = (iou > 0.5) & (ours != 0)[:, None] & counts
    forgiven = 2 * shared[:, small].sum(1) > area  # no match is: over half of it is another's
    num_predicted = int(((ours != 0) & ~forgiven).sum())
    return iou[match].tolist(), num_predicted, int(counts.sum())
