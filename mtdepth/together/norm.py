"""Batch norm over what all processes of a training see.

torch's `SyncBatchNorm` does so on GPUs alone; this is the same on any device, so that processes on
CPUs show what those on GPUs do.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from mtdepth.together import team


class TeamBatchNorm(nn.BatchNorm2d):
    """`BatchNorm2d` whose statistics are those of the whole batch; each process has as much."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalises images (B, C, H, W)."""
        if not self.training:
            return super().forward(input)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        with torch.no_grad():
            mean, variance = _statistics(input)
            num = team.size() * (input.numel() // input.shape[1])
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (num / (num - 1)), self.momentum)
            self.num_batches_tracked += 1
        found = _Normalise.apply(input, mean, (variance + self.eps).rsqrt(), self.weight, self.bias)
        return cast(Tensor, found)


def share_norms(network: nn.Module) -> None:
    """Lets all batch norm of a network see the whole batch; parameters and names stay."""
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = TeamBatchNorm


def _statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel over all processes, (C,) each."""
    precise = images.to(torch.promote_types(images.dtype, torch.float32))
    own = torch.stack(torch.var_mean(precise, (0, 2, 3), correction=0)[::-1])  # (2, C)
    gathered = [torch.empty_like(own) for _ in range(team.size())]
    dist.all_gather(gathered, own)
    means, variances = torch.stack(gathered, 1)  # (processes, C) each
    return means.mean(0), variances.mean(0) + means.var(0, correction=0)


class _Normalise(torch.autograd.Function):
    """(x - mean) / deviation * weight + bias, where mean and deviation follow from all x."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, mean: Tensor, inverse: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        ctx.save_for_backward(x, mean, inverse, weight)
        return ((x - _wide(mean)) * _wide(inverse * weight) + _wide(bias)).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, mean, inverse, weight = ctx.saved_tensors
        (outer,) = gradients
        normal = (x - _wide(mean)) * _wide(inverse)
        own = torch.stack([outer.sum((0, 2, 3)), (outer * normal).sum((0, 2, 3))])  # (2, C)
        dist.all_reduce(whole := own.clone())
        by_bias, by_weight = whole / (team.size() * (x.numel() // x.shape[1]))
        inner = outer - _wide(by_bias) - normal * _wide(by_weight)
        return (inner * _wide(inverse * weight)).to(x.dtype), None, None, own[1], own[0]


def _wide(x: Tensor) -> Tensor:
    return x.view(1, -1, 1, 1)
