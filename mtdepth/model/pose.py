"""monodepth2's pose decoder (Godard et al. 2019, table 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtdepth.config import PoseConfig
from mtdepth.geometry import rigid_transform


class PoseDecoder(nn.Module):
    """The camera's motion between two images, from their deepest features.

    Args:
        inputs: channels of the features of one image, or of a pair encoded together.
        num_features: 2 when the images were encoded one by one, 1 for a pair.
        width: channels inside; 256 in the paper.
        config: what its outputs stand for.
    """

    def __init__(self, inputs: int, num_features: int, width: int, config: PoseConfig) -> None:
        super().__init__()
        self.config = config
        self.squeeze = nn.Sequential(nn.Conv2d(inputs, width, 1), nn.ReLU(inplace=True))
        last = nn.Conv2d(width, 6, 1)
        self.layers = nn.Sequential(
            nn.Conv2d(num_features * width, width, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(inplace=True),
            last,
        )
        assert last.bias is not None
        with torch.no_grad():  # what lies ahead comes nearer: z is the last output
            last.bias[5] -= config.forward_m / config.translation_m

    def forward(self, *features: Tensor) -> Tensor:
        """`later_T_earlier` (B, 4, 4), from features (B, C, h, w) in temporal order."""
        squeezed = torch.cat([self.squeeze(x) for x in features], 1)
        rotation, translation = self.layers(squeezed).mean((2, 3)).split(3, 1)  # (B, 3) each
        return rigid_transform(
            self.config.rotation_rad * rotation, self.config.translation_m * translation
        )
