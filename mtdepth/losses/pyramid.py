"""An image at smaller sizes, as PIL's Lanczos filter makes them: monodepth2's image pyramid."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def image_pyramid(image: Tensor, num_scales: int) -> list[Tensor]:
    """Scales 0 to `num_scales` - 1 of an image, each made of the one before.

    The same as PIL's resizing of 8-bit images, the width first and clipped after each axis, but for
    its rounding. A NaN makes its channel NaN at all smaller sizes.

    Args:
        image: (B, C, H, W) in [0, 1]; no gradient flows to it.
        num_scales: at least 1.

    Returns:
        Scale s is (B, C, H // 2^s, W // 2^s) in [0, 1].
    """
    scales = [image.detach()]
    for _ in range(num_scales - 1):
        finer = scales[-1]
        height, width = (_halving(size, image.dtype, image.device) for size in finer.shape[-2:])
        narrower = (finer @ width.mT).clamp(0, 1)
        scales.append((height @ narrower).clamp(0, 1))
    return scales


@lru_cache(maxsize=64)
def _halving(size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(size // 2, size): what PIL makes of an axis, from what it makes of unit vectors."""
    units = Image.fromarray(np.eye(size, dtype=np.float32))
    halved = units.resize((size, size // 2), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(halved)).to(device, dtype)
