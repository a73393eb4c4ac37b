"""Images and instance maps to what torchvision's detectors are taught."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtdepth.data.images import read_image, read_map
from mtdepth.data.labels import IDS_A_LABEL, LABELS
from mtdepth.data.teacher.sources import Pair


@dataclass(frozen=True)
class Example:
    """One image to learn from."""

    pixels: Tensor
    """(3, H, W) uint8 RGB."""
    instances: Tensor
    """(H, W) int32 instance map."""


def read_example(pair: Pair, *, flip: bool = False) -> Example:
    """Reads an image and its map, or their mirror images.

    Raises:
        ValueError: a file is broken, or the two differ in size.
    """
    pixels = torch.from_numpy(np.array(read_image(pair.image))).permute(2, 0, 1)
    instances = torch.from_numpy(read_map(pair.instances).astype(np.int32))
    if pixels.shape[1:] != instances.shape:
        raise ValueError(
            f"{pair.instances}: expected the size of its image, {tuple(pixels.shape[1:])}, "
            f"found {tuple(instances.shape)}"
        )
    if flip:
        pixels, instances = pixels.flip(-1), instances.flip(-1)
    return Example(pixels.contiguous(), instances.contiguous())


def only_instances(instances: Tensor) -> Tensor:
    """The map without all that is no instance of a class: stuff, groups, caravans, trailers."""
    known = torch.tensor(LABELS, device=instances.device)
    return instances * torch.isin(instances // IDS_A_LABEL, known)


def targets(instances: Tensor, min_area: int) -> dict[str, Tensor]:
    """What torchvision's Mask R-CNN is taught of an image.

    Args:
        instances: (H, W) integer, `label_id * 1000 + k`; see `only_instances` for the rest.
        min_area: instances with fewer pixels are left out.

    Returns:
        `boxes`: (N, 4) float32 in pixels, (x0, y0, x1, y1), around the outer edges of pixels.
        `labels`: (N,) int64 classes, 1 to 8. `masks`: (N, H, W) uint8.
    """
    values, areas = torch.unique(only_instances(instances), return_counts=True)
    values = values[(values > 0) & (areas >= min_area)]
    masks = instances == values[:, None, None]
    known = torch.tensor(LABELS, device=instances.device)
    classes = 1 + torch.searchsorted(known, values // IDS_A_LABEL)
    left, right = _extent(masks.any(dim=1))
    top, bottom = _extent(masks.any(dim=2))
    boxes = torch.stack([left, top, right, bottom], dim=1).float()
    return {"boxes": boxes, "labels": classes, "masks": masks.to(torch.uint8)}


def _extent(hit: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) first, and one past the last, index of each row of (N, L) bool that is hit."""
    size = hit.shape[1]
    return hit.int().argmax(dim=1), size - hit.flip(1).int().argmax(dim=1)
