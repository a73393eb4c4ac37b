"""Trains one configuration."""

from __future__ import annotations

import math
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from mtdepth.checkpoint import Training
from mtdepth.config import TrainConfig
from mtdepth.data.ahead import ahead
from mtdepth.data.augmentation import augment
from mtdepth.data.batch import Batch
from mtdepth.data.loader import SplitData
from mtdepth.data.mixture import Mixture, open_training
from mtdepth.data.resident import near
from mtdepth.device import best_device
from mtdepth.evaluate import evaluate_network
from mtdepth.losses import task_losses
from mtdepth.together import team
from mtdepth.together.norm import share_norms
from mtdepth.together.processes import together

CHECKED_STEPS = 20
"""Steps after which losses are looked at, which waits for a GPU to have done them."""


class TrainingDiverged(RuntimeError):
    """A loss was not finite. Trying again would end the same way."""


class Report(Protocol):
    """Hears of an epoch's end."""

    def __call__(self, metrics: dict[str, float], checkpoint_dir: Path, /) -> None:
        """Takes the metrics, and copies the checkpoint if it wants to keep it."""


def fit(
    config: TrainConfig, report: Report, resume_from: Path | None = None, *, processes: int = 1
) -> None:
    """Trains a configuration, and reports after each epoch.

    Interrupted and resumed after any epoch, it ends with the same metrics as if it had run
    through: all that is random follows from the seed and the epoch's number. A training that
    learns from the validation split is not judged on it.

    Args:
        config: everything that the result depends on.
        report: called after each epoch with its metrics, `epoch` among them, and a checkpoint
            directory that is gone when it returns.
        resume_from: a checkpoint directory of the same configuration.
        processes: how many train it together, each with a GPU of its own where there are GPUs, and
            an equal part of every batch. Losses are those of one process but for rounding.

    Raises:
        ValueError: the data or the checkpoint is not as it should be.
        TrainingDiverged: a loss was NaN or infinite.
        ProcessLost: one of several processes was killed.
    """
    data = open_training(config.data)
    if "instances" in config.tasks:
        data.require_instances()
    if processes == 1:
        _fit(config, resume_from, report)
        return
    expect_equal_parts(config.batch_size, processes)
    together(processes, _fit, config, resume_from, hear=report)


def _fit(config: TrainConfig, resume_from: Path | None, report: Report) -> None:
    """The training as a process does it, alone or in a team."""
    device = best_device()
    data = training_data(config, device)
    training = (
        Training.start(config, device)
        if resume_from is None
        else Training.load(resume_from, config, device)
    )
    if team.size() > 1:
        share_norms(training.network)
    while training.epoch < config.epochs:
        started = time.perf_counter()
        metrics = train_epoch(training, data, device)
        metrics["train/seconds"] = time.perf_counter() - started
        if team.is_first():
            _judge_and_report(training, metrics, report, device)
        team.wait()


def _judge_and_report(
    training: Training, metrics: dict[str, float], report: Report, device: torch.device
) -> None:
    config = training.config
    with tempfile.TemporaryDirectory(prefix="mtdepth-") as directory:
        with ThreadPoolExecutor(1, thread_name_prefix="save") as other:
            saved = other.submit(training.save, Path(directory))
            if config.data.train_on == "train":
                metrics |= evaluate_network(training.network, config, "val", device).metrics
        saved.result()
        metrics["epoch"] = training.epoch
        report(metrics, Path(directory))


def train_epoch(
    training: Training, data: SplitData | Mixture, device: torch.device
) -> dict[str, float]:
    """One pass over the training split.

    Returns:
        `train/loss`, and the mean raw loss and effective weight of each task.

    Raises:
        TrainingDiverged: a loss was NaN or infinite, at most `CHECKED_STEPS` steps ago.
    """
    config, epoch = training.config, training.epoch + 1
    torch.manual_seed(epoch_seed(config.seed, epoch))
    generator = torch.Generator().manual_seed(epoch_seed(config.seed, epoch))
    training.set_learning_rate()
    training.network.train()
    weights = training.weighting.weights()
    totals = torch.zeros(1 + len(config.tasks), device=device)
    num_steps = 0
    order = islice(data.order(config.batch_size, config.seed, epoch), config.max_steps_per_epoch)
    for loaded in ahead(partial(load_batch, config, data, device), order):
        totals += train_step(training, loaded, generator)
        num_steps += 1
        if num_steps % CHECKED_STEPS == 0:
            _finite_means(training, totals, num_steps)
    if training.weighting.stepwise:
        weights = training.weighting.weights()
    means = _finite_means(training, totals, num_steps)
    task_means: dict[str, float] = dict(zip(config.tasks, means[1:], strict=True))
    training.weighting.end_epoch(task_means)
    training.epoch = epoch
    metrics = {"train/loss": means[0]}
    for task, weight in zip(config.tasks, weights.tolist(), strict=True):
        metrics |= {f"train/{task}/loss": task_means[task], f"train/{task}/weight": weight}
    return metrics


def training_data(config: TrainConfig, device: torch.device) -> SplitData | Mixture:
    """What a configuration learns from, as a training on a device best reads it."""
    place = partial(
        near,
        device=device,
        limit_gib=config.data.device_gib,
        neighbours="depth" in config.tasks,
    )
    return open_training(config.data, place)


def load_batch(
    config: TrainConfig, data: SplitData | Mixture, device: torch.device, indices: list[int]
) -> Batch:
    """The samples of these indices, or of a team's process its own part of them."""
    own = indices[team.own(len(indices))]
    return data.batch(own, neighbours="depth" in config.tasks).to(device)


def train_step(training: Training, loaded: Batch, generator: torch.Generator) -> Tensor:
    """One step on a batch as it was loaded; returns total and raw losses, (1 + T,)."""
    batch, seen = augment(loaded, training.config.augmentation, generator)
    return learn(training, seen, batch)


def learn(training: Training, seen: Batch, batch: Batch) -> Tensor:
    """One step on a batch, as the network sees it and as the loss does; returns as `train_step`."""
    losses = _step(training, _losses(training, seen, batch))
    if training.weighting.looks_back:
        training.weighting.after_step(_second_look(training, seen, batch))
    return losses


def _losses(training: Training, seen: Batch, batch: Batch) -> dict[str, Tensor]:
    sources = seen.sources if "depth" in training.config.tasks else None
    return team.means(task_losses(training.network(seen.target, sources), batch, training.config))


@torch.no_grad()
def _second_look(training: Training, seen: Batch, batch: Batch) -> dict[str, Tensor]:
    """The losses after the step; batch norm's running means do not count the batch twice."""
    before = [buffer.clone() for buffer in training.network.buffers()]
    losses = _losses(training, seen, batch)
    for buffer, value in zip(training.network.buffers(), before, strict=True):
        buffer.copy_(value)
    return losses


def _step(training: Training, losses: dict[str, Tensor]) -> Tensor:
    """One step of the optimiser; returns the total and the raw losses, (1 + T,)."""
    training.optimizer.zero_grad(set_to_none=True)
    total = training.weighting.backward(losses, list(training.network.parameters()))
    training.optimizer.step()
    return torch.cat([total[None], training.weighting.stack(losses).detach()])


def expect_equal_parts(batch_size: int, processes: int) -> None:
    """Sees that each process of a training can have as much of a batch.

    Raises:
        ValueError: it can't.
    """
    if batch_size % processes:
        raise ValueError(
            f"batch_size: expected a multiple of {processes}, as each of the {processes} GPUs of a "
            f"training has an equal part, found {batch_size}"
        )


def _finite_means(training: Training, totals: Tensor, num_steps: int) -> list[float]:
    """The mean total and mean losses (1 + T) of an epoch's steps so far.

    Raises:
        TrainingDiverged: one is not finite, as all sums are with a loss that was not.
    """
    means: list[float] = (totals / num_steps).tolist()
    if not all(map(math.isfinite, means)):
        losses = zip(training.config.tasks, means[1:], strict=True)
        raise TrainingDiverged(
            f"expected finite losses, found {', '.join(f'{k} {x:.4g}' for k, x in losses)} on "
            f"average in epoch {training.epoch + 1}; a lower optimizer.lr may help"
        )
    return means


def epoch_seed(seed: int, epoch: int) -> int:
    """What torch is seeded with for an epoch, which counts from 1."""
    return (seed * 1_000_003 + epoch) % 2**63
