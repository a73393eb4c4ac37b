"""The loss on offsets from pixels to the centroids of their instances."""

from __future__ import annotations

import torch
from torch import Tensor

from mtdepth.config import OffsetConfig
from mtdepth.data.batch import Batch
from mtdepth.instances.targets import offset_targets
from mtdepth.model.network import image_size
from mtdepth.together import team


def offset_loss(offsets: Tensor, batch: Batch, config: OffsetConfig) -> Tensor:
    """Mean distance of predicted and true offsets; 0 when no pixel takes part.

    A NaN makes it NaN, also at a pixel that takes no part.

    Args:
        offsets: (B, 2, H, W), x in image widths and y in image heights.
        batch: with instance maps.
        config: unit, norm, and what the background is taught.

    Raises:
        ValueError: an image of the batch has no instance map.
    """
    if batch.instances is None:
        raise ValueError(
            "tasks: 'instances' expects an instance map beside each image that is trained on "
            "(<drive>/instance_02/data/*.png), found an image without"
        )
    true_px, foreground = offset_targets(batch.instances, config.min_area)
    unit = image_size(offsets)
    difference = offsets * unit - true_px if config.unit == "pixel" else offsets - true_px / unit
    distance = _distance(difference, config.norm)  # (B, H, W)
    if config.background == "zero":
        return distance.mean()
    of_instances = (distance * foreground).sum() / team.count(foreground.sum())
    if config.background == "masked":
        return of_instances
    background = ~foreground
    return (of_instances + (distance * background).sum() / team.count(background.sum())) / 2


def _distance(difference: Tensor, norm: str) -> Tensor:
    if norm == "squared":
        return difference.square().sum(1)
    if norm == "l1":
        return difference.abs().sum(1)
    return (difference.square().sum(1) + torch.finfo(difference.dtype).tiny).sqrt()
