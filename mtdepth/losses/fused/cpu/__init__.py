"""The loops of the photometric loss on a CPU, by Numba: row by row of an image, which stays in a
core's cache."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from mtdepth.losses.fused.cpu import error_loops, warp_loops
from mtdepth.losses.fused.cpu.compiled import Floats, shared


def warps(depth_m: Tensor, motion: Tensor, sources: Tensor, out: Tensor) -> None:
    """See `Loops`."""
    depth, moved, images, found = _arrays(depth_m, motion, sources, out)
    num = len(out.flatten(0, 2))
    shared(partial(warp_loops.warps, depth, moved, images, found), num)


def warps_back(
    depth_m: Tensor, motion: Tensor, sources: Tensor, through: Tensor, by_depth: Tensor
) -> Tensor:
    """See `Loops`."""
    scales, size = depth_m.shape[:2]
    by_motion = motion.new_empty(scales, *motion.shape)
    depth, moved, images, gradient = _arrays(depth_m, motion, sources, through)
    into = by_depth.numpy(), by_motion.numpy()
    shared(partial(warp_loops.warps_back, depth, moved, images, gradient, *into), scales * size)
    return by_motion.sum(0)


def errors(images: Tensor, target: Tensor, ssim: float, out: Tensor) -> None:
    """See `Loops`."""
    x, y, found = _arrays(images, target, out)
    shared(partial(error_loops.errors, x, y, np.float32(ssim), found), len(x))


def errors_back(
    images: Tensor, target: Tensor, ssim: float, through: Tensor, by_images: Tensor
) -> None:
    """See `Loops`."""
    x, y, gradient, found = _arrays(images, target, through, by_images)
    shared(partial(error_loops.errors_back, x, y, np.float32(ssim), gradient, found), len(x))


def _arrays(*tensors: Tensor) -> list[Floats]:
    return [tensor.numpy() for tensor in tensors]
