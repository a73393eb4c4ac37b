"""What metrics of a whole split would have been, had other images of its kind been in it.

AP and PQ are no means over images. Their bootstrap (Efron 1979) draws images with replacement, and
computes them anew. The draws follow from the number of images alone: two models that are judged on
the same split see the same draws, so that the differences of their replicates are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtdepth.instances.clustering import Instances
from mtdepth.metrics.coco import match
from mtdepth.metrics.panoptic import image_matches

NUM_REPLICATES = 1000
_SEED = 0
Floats = NDArray[np.float64]


def draws(num_images: int) -> NDArray[np.int64]:
    """(B, N) how often each draw holds each image."""
    generator = np.random.default_rng(_SEED)
    return generator.multinomial(num_images, np.full(num_images, 1 / num_images), NUM_REPLICATES)


def instance_replicates(
    predicted: Sequence[Instances], true: Sequence[NDArray[np.integer]], *, min_area: int
) -> dict[str, list[float]]:
    """`ap`, `ap50`, `pq`, `sq` and `rq` on each draw of the images.

    Args:
        predicted: objects of each image.
        true: (H, W) instance map of each image, 0 for background.
        min_area: as in `average_precision` and `panoptic_quality`.

    Returns:
        `NUM_REPLICATES` values a metric; empty where no true instance counts. A draw without any
        has NaN.
    """
    evaluation = match(predicted, true, min_area=min_area)
    if evaluation is None:
        return {}
    times = draws(len(true))
    matched = _Matched(evaluation)
    precision = np.stack([matched.precision(row) for row in times])  # (B, 10)
    found = {"ap": precision.mean(1), "ap50": precision[:, 0]}
    found |= _panoptic(predicted, true, min_area, times)
    return {name: values.round(6).tolist() for name, values in found.items()}


class _Matched:
    """pycocotools' matches of all images, best score first."""

    def __init__(self, evaluation: Any) -> None:
        images = [(i, one) for i, one in enumerate(evaluation.evalImgs) if one is not None]
        scores = np.concatenate([one["dtScores"] for _, one in images])
        order = np.argsort(-scores, kind="stable")
        matches = np.concatenate([one["dtMatches"] for _, one in images], axis=1)[:, order] > 0
        ignored = np.concatenate([one["dtIgnore"] for _, one in images], axis=1)[:, order] > 0
        self.image = np.concatenate([[i] * len(one["dtScores"]) for i, one in images])
        self.image = self.image[order].astype(np.int64)
        self.right, self.wrong = matches & ~ignored, ~matches & ~ignored  # (10, D)
        self.num_true = np.zeros(len(evaluation.evalImgs))
        for i, one in images:
            self.num_true[i] = np.count_nonzero(one["gtIgnore"] == 0)
        self.levels = evaluation.params.recThrs

    def precision(self, times: NDArray[np.int64]) -> Floats:
        """(10,) mean precision over COCO's recall levels, each image counted so many times."""
        num_true = self.num_true @ times
        if num_true == 0:
            return np.full(len(self.right), np.nan)
        weight = times[self.image]
        right, wrong = np.cumsum(self.right * weight, 1), np.cumsum(self.wrong * weight, 1)
        precision = right / np.maximum(right + wrong, 1)
        precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        padded = np.pad(precision, ((0, 0), (0, 1)))  # a recall that is never reached has 0
        places = [np.searchsorted(row, self.levels) for row in right / num_true]
        return np.array([row[at].mean() for row, at in zip(padded, places, strict=True)])


def _panoptic(
    predicted: Sequence[Instances],
    true: Sequence[NDArray[np.integer]],
    min_area: int,
    times: NDArray[np.int64],
) -> dict[str, Floats]:
    images = [image_matches(a.map, b, min_area) for a, b in zip(predicted, true, strict=True)]
    counts = np.array([(sum(ious), len(ious), ours, theirs) for ious, ours, theirs in images])
    total, hits, num_predicted, num_true = (times @ counts).T
    with np.errstate(invalid="ignore"):
        sq = np.where(num_true > 0, np.nan_to_num(total / hits), np.nan)
        rq = np.where(num_true > 0, 2 * hits / (num_predicted + num_true), np.nan)
    return {"pq": sq * rq, "sq": sq, "rq": rq}
