"""Soft attention that picks a task's features out of shared ones (MTAN, Liu et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtdepth.model.encoder import Features
from mtdepth.together import team


class Mask(nn.Sequential):
    """A mask in [0, 1] for each feature: 1x1, BN, ReLU, 1x1, BN, sigmoid (Liu et al., eq. 2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.Sigmoid(),
        )

    def of_doubled(self, seen: Tensor) -> Tensor:
        """The mask of a map at twice its size (nearest neighbours), from (B, inputs, H, W).

        Pixels that come in fours have a mask that comes in fours. Batch norm then counts a quarter
        of the values; only its running variance, which is unbiased, tells, and is corrected.
        """
        num_values = team.size() * (seen.numel() // seen.shape[1])
        factor = (4 * num_values - 4) / (4 * num_values - 1) if self.training else 1.0
        norms = [layer for layer in self if isinstance(layer, nn.BatchNorm2d)]
        variances = [norm.running_var.data for norm in norms if norm.running_var is not None]
        for variance in variances:
            variance /= factor  # batch norm adds its own, and both are brought to fours
        mask = self(seen)
        for variance in variances:
            variance *= factor
        return F.interpolate(mask, scale_factor=2.0, mode="nearest")


def transfer(inputs: int, outputs: int) -> nn.Sequential:
    """The 3x3 convolution that carries attended features on to the next stage's mask."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class EncoderAttention(nn.Module):
    """One task's masks on both blocks of each encoder stage (Liu et al. 2019, eq. 1).

    The mask of a stage sees its first block's output and what was attended a stage before, and
    gates its last block's output.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        carried = (0, *channels[1:])
        self.masks = nn.ModuleList(Mask(c + k, c) for c, k in zip(channels, carried, strict=True))

    def forward(self, features: Features, transfers: nn.ModuleList) -> tuple[Tensor, ...]:
        """The task's features of each stage, of the shapes of `features.last`.

        Args:
            features: the shared features.
            transfers: the convolutions between stages, shared by all tasks.
        """
        attended: list[Tensor] = []
        for stage, mask in enumerate(self.masks):
            seen = features.first[stage]
            if attended:
                carried = F.max_pool2d(transfers[stage - 1](attended[-1]), 2)
                seen = torch.cat([seen, carried], 1)
            attended.append(mask(seen) * features.last[stage])
        return tuple(attended)


def encoder_transfers(channels: Sequence[int]) -> nn.ModuleList:
    """The convolutions between encoder stages, shared by all tasks (Liu et al. 2019, eq. 2: f)."""
    return nn.ModuleList(transfer(c, n) for c, n in pairwise(channels))


class DecoderAttention(nn.Module):
    """One task's masks on each decoder stage, from coarse to fine (Liu et al. 2019, fig. 2).

    Args:
        channels: of the decoder's stages, from coarse to fine.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.masks = nn.ModuleList(Mask(2 * c, c) for c in channels)

    def forward(
        self,
        deepest: Tensor,
        first: Sequence[Tensor],
        last: Sequence[Tensor],
        transfers: nn.ModuleList,
    ) -> list[Tensor]:
        """The task's features of each decoder stage, from coarse to fine.

        Args:
            deepest: (B, C, H/32, W/32) the task's features of the last encoder stage.
            first: what the first convolution of each decoder stage gives, at half its size.
            last: what its second convolution gives.
            transfers: the convolutions between stages, shared by all tasks.
        """
        attended, x = [], deepest
        for mask, carry, shallow, deep in zip(self.masks, transfers, first, last, strict=True):
            assert isinstance(mask, Mask)
            x = mask.of_doubled(torch.cat([shallow, carry(x)], 1)) * deep
            attended.append(x)
        return attended


def decoder_transfers(deepest: int, channels: Sequence[int]) -> nn.ModuleList:
    """The convolutions between decoder stages, shared by all tasks."""
    inputs = (deepest, *channels[:-1])
    return nn.ModuleList(transfer(i, c) for i, c in zip(inputs, channels, strict=True))
