"""Random flips and colours, the same for all frames of a triplet."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from mtdepth.config import AugmentationConfig
from mtdepth.data.batch import Batch
from mtdepth.data.jitter import draw_jitter, jitter
from mtdepth.device import copied
from mtdepth.instances.targets import InstanceLabels
from mtdepth.together import team


def augment(
    batch: Batch, config: AugmentationConfig, generator: torch.Generator
) -> tuple[Batch, Batch]:
    """Changes a batch at random, each sample in its own way.

    What is random is drawn for the whole batch, of which a team's process changes its own part.

    Args:
        batch: as it was loaded.
        config: how often.
        generator: on the CPU; the changes follow from its state.

    Returns:
        The batch that the loss sees, flipped, and the one that the network sees, with changed
        colours as well.
    """
    size = team.size() * len(batch.target)
    own = team.own(size)
    flips = (torch.rand(size, generator=generator) < config.flip)[own]
    flipped = _flip(batch, copied(flips, batch.target.device))
    frames = torch.cat([flipped.target[:, None], flipped.sources], 1)  # (B, 3, 3, H, W)
    jittered = (torch.rand(size, generator=generator) < config.color_jitter).tolist()
    jitter(frames, [draw_jitter(generator) if one else [] for one in jittered][own])
    return flipped, replace(flipped, target=frames[:, 0], sources=frames[:, 1:])


def _flip(batch: Batch, flips: Tensor) -> Batch:
    width = batch.target.shape[-1]

    def choose(x: Tensor) -> Tensor:
        return torch.where(flips.view(-1, *[1] * (x.dim() - 1)), x.flip(-1), x)

    intrinsics = batch.intrinsics.clone()
    intrinsics[:, 0, 2] = torch.where(flips, width - 1 - intrinsics[:, 0, 2], intrinsics[:, 0, 2])
    return replace(
        batch,
        target=choose(batch.target),
        sources=choose(batch.sources),
        intrinsics=intrinsics,
        instances=None if batch.instances is None else _flip_labels(batch.instances, flips),
    )


def _flip_labels(labels: InstanceLabels, flips: Tensor) -> InstanceLabels:
    numbers, (x, y, area) = labels.numbers, labels.measures.unbind(-1)
    mirrored = torch.stack([numbers.shape[-1] - 1 - x, y, area], -1)
    return InstanceLabels(
        numbers=torch.where(flips.view(-1, 1, 1), numbers.flip(-1), numbers),
        measures=torch.where(flips.view(-1, 1, 1), mirrored, labels.measures),
    )
