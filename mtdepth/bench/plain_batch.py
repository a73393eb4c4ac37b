"""A batch as monodepth2 has its loader prepare it: 24 images a sample (Godard et al. 2019).

Every frame of a triplet at four sizes, each with its own colours and with changed ones, all by PIL
while the sample is loaded, and nothing kept from one epoch to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms import functional as colors

from mtdepth.config import AugmentationConfig
from mtdepth.data.batch import Batch
from mtdepth.data.jitter import BRIGHTNESS, CONTRAST, HUE, SATURATION
from mtdepth.data.loader import SplitData
from mtdepth.instances.targets import InstanceLabels, NumberedMap, batch_labels
from mtdepth.losses.pyramid import image_pyramid

NUM_SCALES = 4
Change = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, kw_only=True)
class PlainBatch:
    """Frames of B samples (target, before, after), each at four scales."""

    color: list[list[Tensor]]
    """By frame and scale, (B, 3, H/2^s, W/2^s) in [0, 1]: what the loss sees."""
    color_aug: list[list[Tensor]]
    """The same with changed colours; the network sees scale 0."""
    intrinsics: Tensor
    """(B, 3, 3) in pixels."""
    instances: InstanceLabels | None
    """Of the target."""

    def to(self, device: torch.device) -> PlainBatch:
        """The same batch on a device."""
        color, color_aug = (
            [[x.to(device) for x in scales] for scales in kind]
            for kind in (self.color, self.color_aug)
        )
        return PlainBatch(
            color=color,
            color_aug=color_aug,
            intrinsics=self.intrinsics.to(device),
            instances=None if self.instances is None else self.instances.to(device),
        )

    def labels(self) -> Batch:
        """The batch that a loss on instances is of."""
        return Batch(
            target=self.color[0][0],
            sources=torch.stack([self.color[1][0], self.color[2][0]], 1),
            intrinsics=self.intrinsics,
            instances=self.instances,
        )


def plain_batch(batch: Batch, seen: Batch) -> PlainBatch:
    """The plain form of what `augment` returns."""
    color, color_aug = (
        [image_pyramid(x, NUM_SCALES) for x in (one.target, *one.sources.unbind(1))]
        for one in (batch, seen)
    )
    return PlainBatch(
        color=color, color_aug=color_aug, intrinsics=batch.intrinsics, instances=batch.instances
    )


def load(
    data: SplitData, indices: Sequence[int], config: AugmentationConfig, generator: torch.Generator
) -> PlainBatch:
    """Reads, flips, resizes and colours the samples of these indices, one by one."""
    samples = [_sample(data, index, config, generator) for index in indices]
    color, color_aug = (
        [[torch.stack(x) for x in zip(*scales, strict=True)] for scales in zip(*kind, strict=True)]
        for kind in zip(*(images for images, _, _ in samples), strict=True)
    )
    maps = [labels for _, _, labels in samples if labels is not None]
    return PlainBatch(
        color=color,
        color_aug=color_aug,
        intrinsics=torch.stack([matrix for _, matrix, _ in samples]),
        instances=batch_labels(maps) if len(maps) == len(samples) else None,
    )


Images = tuple[list[list[Tensor]], list[list[Tensor]]]


def _sample(
    data: SplitData, index: int, config: AugmentationConfig, generator: torch.Generator
) -> tuple[Images, Tensor, NumberedMap | None]:
    frame = data.frames[index]
    flips = torch.rand((), generator=generator).item() < config.flip
    jitters = torch.rand((), generator=generator).item() < config.color_jitter
    change = _change(generator) if jitters else None
    color, color_aug = [], []
    for step in (0, -1, 1):
        sizes = _sizes(_image(data, index, step, flips))
        color.append([_tensor(image) for image in sizes])
        color_aug.append([_tensor(image if change is None else change(image)) for image in sizes])
    intrinsics = torch.from_numpy(data.source.intrinsics(frame).copy())
    if flips:
        intrinsics[0, 2] = color[0][0].shape[-1] - 1 - intrinsics[0, 2]
    labels = data.source.instances(frame)
    return (color, color_aug), intrinsics, _mirrored(labels) if flips and labels else labels


def _image(data: SplitData, index: int, step: int, flips: bool) -> Image.Image:
    pixels = data.source.pixels(data.frames[index].shifted(step))
    image = Image.fromarray(pixels.transpose(1, 2, 0))
    return ImageOps.mirror(image) if flips else image


def _sizes(image: Image.Image) -> list[Image.Image]:
    """Each size made of the one before."""
    sizes = [image]
    for _ in range(NUM_SCALES - 1):
        width, height = sizes[-1].size
        sizes.append(sizes[-1].resize((width // 2, height // 2), Image.Resampling.LANCZOS))
    return sizes


def _tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float() / 255


def _change(generator: torch.Generator) -> Change:
    """One change of colours in random order, for all images of a sample."""
    ranges = (BRIGHTNESS, CONTRAST, SATURATION, HUE)
    draws = torch.rand(4, generator=generator).tolist()
    amounts = [low + (high - low) * x for (low, high), x in zip(ranges, draws, strict=True)]
    steps = [
        colors.adjust_brightness,
        colors.adjust_contrast,
        colors.adjust_saturation,
        colors.adjust_hue,
    ]
    order = torch.randperm(4, generator=generator).tolist()

    def change(image: Image.Image) -> Image.Image:
        for i in order:
            image = steps[i](image, amounts[i])
        return image

    return change


def _mirrored(labels: NumberedMap) -> NumberedMap:
    measures = labels.measures.copy()
    measures[:, 0] = labels.numbers.shape[-1] - 1 - measures[:, 0]
    return NumberedMap(numbers=labels.numbers[:, ::-1], measures=measures)
