"""Finite differences, to hold gradients against."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def directions(inputs: Sequence[Tensor], seed: int = 0) -> list[Tensor]:
    """A random direction of length 1 in the space of each input."""
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.randn(x.shape, generator=generator, dtype=x.dtype) for x in inputs]
    return [x / x.norm() for x in drawn]


@torch.no_grad()
def slope(
    function: Callable[[], Tensor], inputs: Sequence[Tensor], along: Sequence[Tensor], eps: float
) -> float:
    """How fast a scalar changes while its inputs, which are moved in place, go along."""
    values = []
    for step in (eps, -2 * eps):
        for x, direction in zip(inputs, along, strict=True):
            x += step * direction
        values.append(function().item())
    for x, direction in zip(inputs, along, strict=True):
        x += eps * direction
    return (values[0] - values[1]) / (2 * eps)
