"""Measures what a training costs, by a few of its steps."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import torch

from mtdepth.calibration import Calibration
from mtdepth.checkpoint import Training
from mtdepth.config import TrainConfig
from mtdepth.data.loader import open_split
from mtdepth.data.mixture import open_training
from mtdepth.device import best_device
from mtdepth.evaluate import chosen_samples, evaluate_network
from mtdepth.memory import peak_memory_bytes
from mtdepth.together import team
from mtdepth.together.norm import share_norms
from mtdepth.together.processes import together
from mtdepth.train import epoch_seed, expect_equal_parts, load_batch, train_step, training_data

NUM_STEPS = 10
"""Timed; the first of them once more before, to warm up."""


def calibrate(
    config: TrainConfig, num_steps: int = NUM_STEPS, *, processes: int = 1
) -> Calibration:
    """Trains a few steps, judges a batch of the validation split, and throws it all away.

    Args:
        config: the training.
        num_steps: how many steps are timed.
        processes: how many train together; memory is that of all, of GPUs that of the fullest.

    Raises:
        ValueError: the data is not as it should be.
    """
    open_training(config.data)
    if processes == 1:
        return _calibrate(config, num_steps)
    expect_equal_parts(config.batch_size, processes)
    found = together(processes, _calibrate, config, num_steps)
    return replace(
        found[0],
        memory_bytes=sum(one.memory_bytes for one in found),
        device_memory_bytes=max(one.device_memory_bytes for one in found),
    )


def _calibrate(config: TrainConfig, num_steps: int, hear: object = None) -> Calibration:  # noqa: ARG001
    """As a process does it, alone or in a team, of which the first alone judges."""
    device = best_device()
    started = time.perf_counter()
    data = training_data(config, device)
    training = Training.start(config, device)
    if team.size() > 1:
        share_norms(training.network)
    start_seconds = time.perf_counter() - started
    order = list(data.order(config.batch_size, config.seed, 1))[: config.max_steps_per_epoch]
    generator = torch.Generator().manual_seed(epoch_seed(config.seed, 1))
    training.network.train()

    def step(indices: list[int]) -> None:
        train_step(training, load_batch(config, data, device, indices), generator)

    def steps(batches: list[list[int]]) -> list[float]:
        return [_seconds(partial(step, some)) for some in batches]

    first = list(islice(order, num_steps + 1))
    steps(first[-1:])
    cold, warm = steps(first[:-1] or first), steps(first[:-1] or first)
    seconds, num_images = _judging(training, config, device) if team.is_first() else (0.0, 0)
    with tempfile.TemporaryDirectory(prefix="mtdepth-") as directory:
        save_seconds = _seconds(lambda: training.save(Path(directory)))
        size = sum(p.stat().st_size for p in Path(directory).rglob("*") if p.is_file())
    return Calibration(
        start_seconds=start_seconds,
        steps_an_epoch=len(order),
        steps_with_val=_num_steps(config, train_on="train+val"),
        seconds_a_step=statistics.median(warm),
        seconds_a_first_step=statistics.median(cold),
        num_val_images=num_images,
        seconds_an_image=seconds,
        save_seconds=save_seconds,
        checkpoint_bytes=size,
        memory_bytes=peak_memory_bytes(),
        device_memory_bytes=torch.cuda.max_memory_reserved() if device.type == "cuda" else 0,
    )


def _judging(training: Training, config: TrainConfig, device: torch.device) -> tuple[float, int]:
    """Seconds an image of the validation split, after a warm-up; and how many are judged."""
    num_images = len(
        chosen_samples(len(open_split(config.data, "val")), "val", config.max_val_samples)
    )
    few = min(num_images, config.batch_size)
    some = config.model_copy(update={"max_val_samples": few})
    look = partial(evaluate_network, training.network, some, "val", device)
    look()
    return _seconds(look) / few, num_images


def _num_steps(config: TrainConfig, train_on: str) -> int:
    data = open_training(config.data.model_copy(update={"train_on": train_on}))
    num_steps = len(data) // config.batch_size
    return min(num_steps, config.max_steps_per_epoch or num_steps)


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started
