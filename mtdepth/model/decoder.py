"""monodepth2's depth decoder (Godard et al. 2019, table 5), shared by depth and instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NUM_STAGES = 5


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Features of the decoder's stages, from coarse (H/16) to fine (H)."""

    first: tuple[Tensor, ...]
    """After each stage's first convolution, upsampled: (B, c_i, H/2^(4-i), W/2^(4-i))."""
    last: tuple[Tensor, ...]
    """After its second convolution, of the same shapes."""


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution with reflected borders."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")


class Decoder(nn.Module):
    """Five stages of convolution, doubling, skip connection and convolution.

    Args:
        encoder_channels: of the stem and the four encoder stages, from fine to coarse.
        width: channels of the finest stage.
    """

    def __init__(self, encoder_channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.channels = tuple(width * 2**i for i in reversed(range(NUM_STAGES)))
        skips = (*reversed(encoder_channels[:-1]), 0)
        inputs = (encoder_channels[-1], *self.channels[:-1])
        self.first = nn.ModuleList(
            conv3x3(i, c) for i, c in zip(inputs, self.channels, strict=True)
        )
        self.last = nn.ModuleList(
            conv3x3(c + s, c) for s, c in zip(skips, self.channels, strict=True)
        )

    def forward(self, stem: Tensor, stages: Sequence[Tensor]) -> Decoded:
        """Decodes encoder features.

        Args:
            stem: (B, w, H/2, W/2).
            stages: the four encoder stages, from fine to coarse.
        """
        skips = [*reversed(stages[:-1]), stem, None]
        x, first, last = stages[-1], [], []
        for shallow, deep, skip in zip(self.first, self.last, skips, strict=True):
            x = F.interpolate(F.elu(shallow(x)), scale_factor=2.0, mode="nearest")
            first.append(x)
            x = F.elu(deep(x if skip is None else torch.cat([x, skip], 1)))
            last.append(x)
        return Decoded(first=tuple(first), last=tuple(last))
