"""Labels many images: reads in batches, writes maps that are whole or absent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from mtdepth.data.images import read_image
from mtdepth.data.teacher.ahead import read_batches
from mtdepth.data.teacher.config import LabelConfig
from mtdepth.data.teacher.jobs import Job
from mtdepth.data.teacher.labelling import Labelled, label_images
from mtdepth.files import replacing

LabelProgress = Callable[[int, int, float], None]
"""Hears of images done, images in all, and seconds left."""


@dataclass(frozen=True)
class _Read:
    job: Job
    pixels: Tensor


def write_maps(
    network: nn.Module,
    jobs: Sequence[Job],
    config: LabelConfig,
    *,
    batch_size: int = 4,
    num_threads: int = 0,
    on_progress: LabelProgress | None = None,
) -> int:
    """Writes the instance map of every image, and returns how many instances they hold.

    Args:
        network: a teacher in evaluation mode.
        jobs: images, and where their maps go. What is there is replaced.
        config: which detections count.
        batch_size: images a step.
        num_threads: how many read images ahead.
        on_progress: called after each step.

    Raises:
        ValueError: an image is broken.
    """
    num_done, num_instances, started = 0, 0, time.perf_counter()
    for batch in read_batches(_read, jobs, batch_size, num_threads):
        found = label_images(network, [read.pixels for read in batch], config)
        for read, labelled in zip(batch, found, strict=True):
            _write(read.job.target, labelled)
            num_instances += len(labelled.labels)
        num_done += len(batch)
        if on_progress is not None:
            seconds = (time.perf_counter() - started) / num_done * (len(jobs) - num_done)
            on_progress(num_done, len(jobs), seconds)
    return num_instances


def _read(job: Job) -> _Read:
    pixels = torch.from_numpy(np.array(read_image(job.image))).permute(2, 0, 1)
    return _Read(job, pixels.contiguous())


def _write(target: Path, labelled: Labelled) -> None:
    with replacing(target) as path:
        Image.fromarray(labelled.ids()).save(path)
