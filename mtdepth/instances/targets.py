"""Instance masks to what the network is taught: the offset from each pixel to its centroid."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def offset_targets(instances: NDArray[np.integer] | Tensor, min_area: int) -> tuple[Tensor, Tensor]:
    """Vectors from pixels to the centroid of the visible mask of their instance.

    Integer coordinates lie at pixel centres. Background is offset zero.

    Args:
        instances: (B, H, W) integer, 0 for background, any other value for an instance; values
            need not be consecutive, nor distinct between images.
        min_area: instances with fewer pixels become background.

    Returns:
        offsets_px: (B, 2, H, W) float32, (x, y) in pixels.
        foreground: (B, H, W) bool.
    """
    ids = torch.as_tensor(
        instances.astype(np.int64) if isinstance(instances, np.ndarray) else instances
    )
    if ids.ndim != 3 or ids.is_floating_point():
        raise ValueError(
            f"expected instances (B, H, W) of integers, found {tuple(ids.shape)} {ids.dtype}"
        )
    batch, height, width = ids.shape
    values, inverse = torch.unique(ids, return_inverse=True)
    image = torch.arange(batch, device=ids.device).view(-1, 1, 1)
    segment = (inverse + image * len(values)).flatten()  # (B*H*W): one segment an image and value
    ys, xs = torch.meshgrid(
        torch.arange(height, dtype=torch.float64, device=ids.device),
        torch.arange(width, dtype=torch.float64, device=ids.device),
        indexing="ij",
    )
    area = torch.bincount(segment, minlength=batch * len(values))
    foreground = (ids != 0) & (area[segment] >= min_area).view_as(ids)
    offsets = []
    for coordinate in (xs, ys):
        grid = coordinate.expand(batch, height, width)
        total = torch.bincount(segment, weights=grid.flatten(), minlength=len(area))
        centroid = total / area.clamp(min=1)
        offsets.append((centroid[segment].view_as(grid) - grid) * foreground)
    return torch.stack(offsets, dim=1).float(), foreground
