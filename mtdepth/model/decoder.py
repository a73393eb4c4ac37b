"""monodepth2's depth decoder (Godard et al. 2019, table 5), shared by depth and instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from mtdepth.model.elu import elu

NUM_STAGES = 5


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Features of the decoder's stages, from coarse (H/16) to fine (H)."""

    first: tuple[Tensor, ...]
    """After each stage's first convolution, at half its size: (B, c_i, H/2^(5-i), W/2^(5-i))."""
    last: tuple[Tensor, ...]
    """After its second convolution: (B, c_i, H/2^(4-i), W/2^(4-i))."""


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution with reflected borders."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")


def conv_doubled(layer: nn.Conv2d, x: Tensor, skip: Tensor | None) -> Tensor:
    """What a `conv3x3` makes of a map at twice its size, beside a skip connection.

    Nearest neighbours come in fours, so that a transposed convolution of the smaller map gives the
    same with 4/9 of the multiplications, and the larger one is never made. A border that reflects
    fours repeats single pixels.

    Args:
        layer: over the channels of both.
        x: (B, C, H, W).
        skip: (B, D, 2H, 2W).

    Returns:
        (B, outputs, 2H, 2W).
    """
    channels = x.shape[1]
    kernel = F.pad(layer.weight[:, :channels].flip(2, 3).transpose(0, 1), (1, 1, 1, 1))
    kernel = F.avg_pool2d(kernel, 2, stride=1, divisor_override=1)  # (C, outputs, 4, 4)
    repeated = F.pad(x, (1, 1, 1, 1), mode="replicate")
    y = F.conv_transpose2d(repeated, kernel, layer.bias, stride=2, padding=3)
    if skip is not None:
        y += F.conv2d(F.pad(skip, (1, 1, 1, 1), mode="reflect"), layer.weight[:, channels:])
    return y


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
            x = elu(shallow(x))
            first.append(x)
            assert isinstance(deep, nn.Conv2d)
            x = elu(conv_doubled(deep, x, skip))
            last.append(x)
        return Decoded(first=tuple(first), last=tuple(last))
