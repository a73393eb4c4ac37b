"""The loops of the photometric loss on a GPU, by Triton: a program for each block of pixels, which
are read once. No sum depends on the order in which programs end."""

from __future__ import annotations

import torch
import triton
from torch import Tensor

from mtdepth.losses.fused.gpu import error_kernels, warp_kernels

BLOCK = 256
"""Pixels of a program."""


def warps(depth_m: Tensor, motion: Tensor, sources: Tensor, out: Tensor) -> None:
    """See `Loops`."""
    num, scales, size, _, height, width = out.shape
    grid = num * scales * size, triton.cdiv(height * width, BLOCK)
    with torch.cuda.device_of(out):
        warp_kernels.warps[grid](
            depth_m, motion, sources, out, num, scales, size, height, width, *sources.shape[3:],
            BLOCK=BLOCK,
        )  # fmt: skip


def warps_back(
    depth_m: Tensor, motion: Tensor, sources: Tensor, through: Tensor, by_depth: Tensor
) -> Tensor:
    """See `Loops`."""
    num, scales, size, _, height, width = through.shape
    num_blocks = triton.cdiv(height * width, BLOCK)
    by_motion = motion.new_empty(scales, num, size, num_blocks, 12)
    with torch.cuda.device_of(by_depth):
        warp_kernels.warps_back[scales * size, num_blocks](
            depth_m, motion, sources, through, by_depth, by_motion,
            num, scales, size, height, width, *sources.shape[3:],
            BLOCK=BLOCK,
        )  # fmt: skip
    return by_motion.sum((0, 3)).view(motion.shape)


def errors(images: Tensor, target: Tensor, ssim: float, out: Tensor) -> None:
    """See `Loops`."""
    num, channels, height, width = images.shape
    grid = num, triton.cdiv(height * width, BLOCK)
    with torch.cuda.device_of(out):
        error_kernels.errors[grid](
            images, target, out, ssim, len(target), channels, height, width, BLOCK=BLOCK
        )


def errors_back(
    images: Tensor, target: Tensor, ssim: float, through: Tensor, by_images: Tensor
) -> None:
    """See `Loops`."""
    num, channels, height, width = images.shape
    by_window = images.new_empty(3, *images.shape)
    grid = num * channels, triton.cdiv(height * width, BLOCK)
    sizes = len(target), num, channels, height, width
    with torch.cuda.device_of(by_images):
        error_kernels.windows_back[grid](
            images, target, through, by_window, ssim, *sizes, BLOCK=BLOCK
        )
        error_kernels.pixels_back[grid](
            images, target, through, by_window, by_images, ssim, *sizes, BLOCK=BLOCK
        )
