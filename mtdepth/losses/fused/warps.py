"""View synthesis (Zhou et al. 2017, eq. 2): sources, sampled where a depth and a motion say."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mtdepth.losses.fused.loops import loops_for


def warp(depth_m: Tensor, motion: Tensor, sources: Tensor) -> Tensor:
    """Sources, warped into the target at each of several depths.

    Args:
        depth_m: (S, B, 1, H, W) of the target.
        motion: (N, B, 3, 4), of pixels: `geometry.pixel_motion` to each source.
        sources: (B, N, 3, h, w); no gradient flows to them.

    Returns:
        (N, S, B, 3, H, W): bilinear, the border repeated outside, NaN where a coordinate is NaN.

    Raises:
        RuntimeError: the shapes don't fit.
    """
    num, size = motion.shape[:2]
    warped = _Warp.apply(
        depth_m.expand(-1, size, 1, -1, -1),
        motion.expand(num, size, 3, 4),
        sources.expand(size, num, 3, -1, -1),
    )
    return cast(Tensor, warped)


class _Warp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, depth_m: Tensor, motion: Tensor, sources: Tensor) -> Tensor:
        inputs = depth_m.contiguous(), motion.contiguous(), sources.contiguous()
        ctx.save_for_backward(*inputs)
        scales, size, _, height, width = depth_m.shape
        found = depth_m.new_empty(len(motion), scales, size, 3, height, width)
        loops_for(found).warps(*inputs, found)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        depth_m, motion, sources = ctx.saved_tensors
        by_depth, through = torch.empty_like(depth_m), gradient.contiguous()
        by_motion = loops_for(depth_m).warps_back(depth_m, motion, sources, through, by_depth)
        return by_depth, by_motion, None
