"""ResNet-18 (He et al. 2016) of any width, with torchvision's parameter names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights
from torchvision.models.resnet import BasicBlock

from mtdepth.checkpoint_files import read_state_dict
from mtdepth.config import EncoderConfig

NUM_STAGES = 4


@dataclass(frozen=True, kw_only=True)
class Features:
    """What the shared encoder sees in a batch of images."""

    stem: Tensor
    """(B, w, H/2, W/2)."""
    first: tuple[Tensor, ...]
    """Output of the first block of each stage: (B, w * 2^i, H/2^(i+2), W/2^(i+2))."""
    last: tuple[Tensor, ...]
    """Output of the last block of each stage, of the same shapes."""

    def __getitem__(self, rows: slice) -> Features:
        """The features of some images of the batch."""
        return Features(
            stem=self.stem[rows],
            first=tuple(x[rows] for x in self.first),
            last=tuple(x[rows] for x in self.last),
        )


class Encoder(nn.Module):
    """ResNet-18 without its classifier.

    Args:
        config: width and initial weights.
        num_images: images stacked in the channels; more than one for a pose encoder, whose first
            kernel is then the single image's, repeated and divided (Godard et al. 2019, supplement
            B).

    Raises:
        ValueError: the weights can't be had or don't fit.
    """

    def __init__(self, config: EncoderConfig, num_images: int = 1) -> None:
        super().__init__()
        width = config.width
        self.channels = tuple(width * 2**stage for stage in range(NUM_STAGES))
        self.conv1 = nn.Conv2d(3 * num_images, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        previous = width
        for stage, channels in enumerate(self.channels, start=1):
            self.add_module(f"layer{stage}", _stage(previous, channels, stride=1 + (stage > 1)))
            previous = channels
        self._initialise()
        if config.weights != "none":
            self._load(_read_weights(config), config, num_images)

    def forward(self, images: Tensor) -> Features:
        """Features of images (B, 3 * num_images, H, W) in [0, 1], H and W multiples of 32."""
        # channels last: what follows takes the layout on, and most of it is faster so
        normalised = ((images - 0.45) / 0.225).contiguous(memory_format=torch.channels_last)
        stem = torch.relu(self.bn1(self.conv1(normalised)))
        x, first, last = self.pool(stem), [], []
        for stage in range(1, NUM_STAGES + 1):
            blocks = cast(nn.Sequential, self.get_submodule(f"layer{stage}"))
            first.append(blocks[0](x))
            x = blocks[1](first[-1])
            last.append(x)
        return Features(stem=stem, first=tuple(first), last=tuple(last))

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def _load(self, state: dict[str, Tensor], config: EncoderConfig, num_images: int) -> None:
        state = {key: value for key, value in state.items() if not key.startswith("fc.")}
        if "conv1.weight" in state:
            state["conv1.weight"] = state["conv1.weight"].repeat(1, num_images, 1, 1) / num_images
        try:
            self.load_state_dict(state)
        except RuntimeError as error:
            raise ValueError(
                f"encoder.weights: {config.weights!r} does not fit a ResNet-18 of width "
                f"{config.width}: {str(error).splitlines()[-1].strip()}"
            ) from None


class Shortcut(nn.Conv2d):
    """A 1x1 convolution of each pixel in `stride` rows and columns.

    They are picked beforehand: as oneDNN 3.12 does both in one, with channels last that are no
    multiple of 16, the gradient of the weights is read from beyond its memory.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__(inputs, outputs, 1, bias=False)
        self.every = stride

    def forward(self, input: Tensor) -> Tensor:
        """Maps (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        return super().forward(input[..., :: self.every, :: self.every])


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    shortcut = None
    if stride != 1 or inputs != outputs:
        shortcut = nn.Sequential(Shortcut(inputs, outputs, stride), nn.BatchNorm2d(outputs))
    return nn.Sequential(
        BasicBlock(inputs, outputs, stride, shortcut), BasicBlock(outputs, outputs)
    )


def _read_weights(config: EncoderConfig) -> dict[str, Tensor]:
    if config.weights == "imagenet":
        if config.width != 64:
            raise ValueError(
                f"encoder.weights: ImageNet weights exist for encoder.width 64, found "
                f"{config.width}; set encoder.weights to 'none' or the path of a state dict"
            )
        try:
            return dict(ResNet18_Weights.IMAGENET1K_V1.get_state_dict(check_hash=True))
        except OSError as error:
            raise ValueError(
                "encoder.weights: torchvision's ImageNet weights could not be downloaded "
                f"({error}); set encoder.weights to a file that holds them, or to 'none'"
            ) from None
    path = Path(config.weights)
    if not path.is_file():
        raise ValueError(
            f"encoder.weights: expected 'imagenet', 'none' or a file, found {config.weights!r}"
        )
    return read_state_dict(path)
