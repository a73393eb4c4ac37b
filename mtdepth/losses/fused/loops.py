"""Which loops are for a tensor: a CPU's or a GPU's."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import Protocol

import torch
from torch import Tensor


class Loops(Protocol):
    """What is computed pixel by pixel. All tensors are of float32, contiguous, and of one device;
    S depths of each of B targets, N sources, M images."""

    def warps(self, depth_m: Tensor, motion: Tensor, sources: Tensor, out: Tensor, /) -> None:
        """Fills `out` (N, S, B, 3, H, W); the others are those of `warp`."""

    def warps_back(
        self,
        depth_m: Tensor,
        motion: Tensor,
        sources: Tensor,
        through: Tensor,
        by_depth: Tensor,
        /,
    ) -> Tensor:
        """Fills the gradients of depth, and returns those of motion, from those of the warped
        sources, `through`."""

    def errors(self, images: Tensor, target: Tensor, ssim: float, out: Tensor, /) -> None:
        """Fills `out` (M, H, W) with errors of images (M, C, H, W); targets (B, C, H, W) are taken
        in turns, for M a multiple of B."""

    def errors_back(
        self, images: Tensor, target: Tensor, ssim: float, through: Tensor, by_images: Tensor, /
    ) -> None:
        """Fills the gradients of images from those of their errors, `through` (M, H, W)."""


def takes(x: Tensor) -> bool:
    """Whether there are loops for tensors like this one."""
    if x.dtype != torch.float32:
        return False
    return x.device.type == "cpu" or (x.is_cuda and _runs_triton(x.device))


def loops_for(x: Tensor) -> Loops:
    """Those for tensors like this one, which `takes` holds for."""
    if x.is_cuda:
        from mtdepth.losses.fused import gpu

        return gpu
    from mtdepth.losses.fused import cpu

    return cpu


@lru_cache
def _runs_triton(device: torch.device) -> bool:
    new_enough = torch.cuda.get_device_capability(device) >= (8, 0)
    return new_enough and find_spec("triton") is not None
