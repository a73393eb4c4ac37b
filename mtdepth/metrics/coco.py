"""Predicted and true instances matched by COCO's rules, by its own code."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtdepth.instances.clustering import Instances

MAX_DETECTIONS = 100
"""Of an image, the best so many count, as in COCO."""


def match(
    predicted: Sequence[Instances], true: Sequence[NDArray[np.integer]], *, min_area: int
) -> Any | None:
    """pycocotools' evaluation of masks, all of one class.

    Args:
        predicted: objects of each image.
        true: (H, W) instance map of each image, 0 for background.
        min_area: true instances with fewer pixels are taken for crowds.

    Returns:
        A `COCOeval` that has evaluated and accumulated; None where no true instance counts.
    """
    expect_fitting(predicted, true)
    truth: list[dict[str, Any]] = []
    detections: list[dict[str, Any]] = []
    for image, (ours, theirs) in enumerate(zip(predicted, true, strict=True), start=1):
        best = np.argsort(-ours.scores, kind="stable")[:MAX_DETECTIONS]
        for mask, score in zip(_masks(ours.map, best + 1), ours.scores[best].tolist(), strict=True):
            detections.append({**mask, "image_id": image, "id": len(detections) + 1})
            detections[-1]["score"] = score
        for mask in _masks(theirs, np.setdiff1d(theirs, [0])):
            crowd = int(mask["area"] < min_area)
            truth.append({**mask, "image_id": image, "id": len(truth) + 1, "iscrowd": crowd})
    if all(instance["iscrowd"] for instance in truth):
        return None
    return _evaluated(truth, detections, [theirs.shape for theirs in true])


def expect_fitting(predicted: Sequence[Instances], true: Sequence[NDArray[np.integer]]) -> None:
    """Sees that there is a true map for each predicted one, of its size.

    Raises:
        ValueError: there is not.
    """
    if len(predicted) != len(true):
        raise ValueError(
            f"expected as many predicted as true maps, found {len(predicted)} and {len(true)}"
        )
    for image, (ours, theirs) in enumerate(zip(predicted, true, strict=True)):
        if ours.map.shape != theirs.shape:
            raise ValueError(
                f"image {image}: expected maps of one size, found predicted "
                f"{ours.map.shape} and true {theirs.shape}"
            )


def _masks(instances: NDArray[np.integer], labels: NDArray[np.integer]) -> list[dict[str, Any]]:
    from pycocotools import mask as coco_mask

    columns = np.ascontiguousarray(instances.T)  # the order in which pycocotools takes pixels
    masks = labels[:, None, None] == columns  # (n, W, H)
    encoded = coco_mask.encode(masks.view(np.uint8).transpose(2, 1, 0))
    areas = masks.sum((1, 2)).tolist()  # coco_mask.area counts masks in a byte
    boxes = coco_mask.toBbox(encoded).tolist() if encoded else []
    return [
        {"segmentation": code, "area": area, "bbox": box, "category_id": 1}
        for code, area, box in zip(encoded, areas, boxes, strict=True)
    ]


def _evaluated(
    truth: list[dict[str, Any]], detections: list[dict[str, Any]], shapes: list[tuple[int, ...]]
) -> Any:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        sides = [COCO(), COCO()]
        for side, annotations in zip(sides, (truth, detections), strict=True):
            side.dataset = {
                "images": [
                    {"id": image, "height": height, "width": width}
                    for image, (height, width) in enumerate(shapes, start=1)
                ],
                "categories": [{"id": 1}],
                "annotations": annotations,
            }
            side.createIndex()
        evaluation = COCOeval(*sides, iouType="segm")
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [MAX_DETECTIONS]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation
