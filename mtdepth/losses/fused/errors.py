"""Photometric errors: SSIM (Wang et al. 2004, eq. 13) in 3x3 windows with reflected borders, mixed
with L1 (Godard et al. 2019, sec. 3.1)."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mtdepth.losses.fused.loops import loops_for


def photometric_errors(images: Tensor, target: Tensor, ssim: float) -> Tensor:
    """How unlike images are to a target, at each pixel.

    Args:
        images: (N, B, C, H, W).
        target: (B, C, H, W); no gradient flows to it.
        ssim: share of (1 - SSIM) / 2; the rest is L1.

    Returns:
        (N, B, H, W).

    Raises:
        ValueError: H or W is 1, where a border has nothing to reflect.
        RuntimeError: the shapes don't fit.
    """
    if min(images.shape[-2:]) < 2:
        raise ValueError(f"expected at least 2x2 pixels, found {tuple(images.shape[-2:])}")
    return cast(Tensor, _Errors.apply(images, target.expand(images.shape[1:]), ssim))


class _Errors(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, target: Tensor, ssim: float) -> Tensor:
        images, target = images.contiguous(), target.contiguous()
        ctx.save_for_backward(images, target)
        ctx.ssim = ssim
        num, size, _, height, width = images.shape
        found = images.new_empty(num, size, height, width)
        loops_for(found).errors(images.flatten(0, 1), target, ssim, found.flatten(0, 1))
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        images, target = ctx.saved_tensors
        back = torch.empty_like(images)
        x, through, found = (t.flatten(0, 1) for t in (images, gradient.contiguous(), back))
        loops_for(back).errors_back(x, target, ctx.ssim, through, found)
        return back, None, None
