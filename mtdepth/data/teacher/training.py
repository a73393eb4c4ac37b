"""Trains a teacher."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mtdepth.checkpoint_files import is_checkpoint
from mtdepth.data.root import Progress
from mtdepth.data.teacher.ahead import read_batches
from mtdepth.data.teacher.checkpoint import Teaching
from mtdepth.data.teacher.config import TeacherConfig
from mtdepth.data.teacher.examples import Example, read_example, targets
from mtdepth.data.teacher.judging import judge
from mtdepth.data.teacher.network import set_training
from mtdepth.data.teacher.schedule import learning_rate
from mtdepth.data.teacher.sources import Pair, list_pairs
from mtdepth.device import best_device
from mtdepth.files import expect_writable
from mtdepth.train import TrainingDiverged, epoch_seed


class Report(Protocol):
    """Hears of an epoch's end."""

    def __call__(self, epoch: int, metrics: dict[str, float], /) -> None:
        """Takes how many epochs are done, and `loss`, `seconds`, `ap` and `ap50`."""


def fit(
    config: TeacherConfig,
    out: Path,
    report: Report,
    *,
    num_threads: int = 0,
    on_progress: Progress | None = None,
    on_step: Progress | None = None,
) -> None:
    """Trains a teacher, and saves it after each epoch; what was begun in `out` goes on.

    Interrupted and resumed after any epoch, it ends as if it had run through: all that is random
    follows from the seed and the epoch's number. On a GPU no two trainings are quite the same:
    torchvision's RoIAlign adds up gradients in any order there.

    Args:
        config: everything that the result depends on.
        out: directory of the checkpoint.
        report: called after each epoch, once its checkpoint is there.
        num_threads: how many read images ahead; they make no difference to the result.
        on_progress: hears of drives that are rendered.
        on_step: hears of the steps of an epoch.

    Raises:
        ValueError: the data, the weights or the checkpoint is not as it should be.
        TrainingDiverged: a loss was NaN or infinite.
    """
    teaching = _open(config, out)
    pairs = list_pairs(config.source, "train", on_progress)
    judged = list_pairs(config.source, "val")
    while teaching.epoch < config.epochs:
        started = time.perf_counter()
        loss = train_epoch(teaching, pairs, num_threads, on_step)
        seconds = time.perf_counter() - started
        metrics = judge(
            teaching.network.eval(), judged, config.source, config.batch_size, num_threads
        )
        teaching.save(out)
        report(teaching.epoch, {"loss": loss, "seconds": seconds, **metrics})


def _open(config: TeacherConfig, out: Path) -> Teaching:
    expect_writable(out)
    if is_checkpoint(out):
        return Teaching.load(out, config, best_device())
    return Teaching.start(config, best_device())


def train_epoch(
    teaching: Teaching,
    pairs: Sequence[Pair],
    num_threads: int = 0,
    on_step: Progress | None = None,
) -> float:
    """One pass over the images, in whole batches; returns the mean loss.

    Raises:
        ValueError: a file is broken, or there are fewer images than a batch has.
        TrainingDiverged: a loss was NaN or infinite.
    """
    config, epoch = teaching.config, teaching.epoch
    torch.manual_seed(epoch_seed(config.seed, epoch + 1))
    set_training(teaching.network)
    draws = _draws(config, epoch, pairs)
    num_steps = len(draws) // config.batch_size
    total = 0.0
    batches = read_batches(_Draw.read, draws, config.batch_size, num_threads)
    for step, batch in enumerate(batches):
        for group in teaching.optimizer.param_groups:
            group["lr"] = learning_rate(config, epoch, step, num_steps)
        total += _step(teaching, batch)
        if on_step is not None:
            on_step(step + 1, num_steps)
    teaching.epoch += 1
    return total / num_steps


@dataclass(frozen=True)
class _Draw:
    """Which example is wanted, and whether its mirror image is."""

    pair: Pair
    flip: bool

    def read(self) -> Example:
        return read_example(self.pair, flip=self.flip)


def _draws(config: TeacherConfig, epoch: int, pairs: Sequence[Pair]) -> list[_Draw]:
    """Whole batches in an order that follows from seed and epoch; the rest is dropped."""
    rng = np.random.default_rng([config.seed, epoch])
    order, flips = rng.permutation(len(pairs)), rng.random(len(pairs)) < config.flip
    if len(pairs) < config.batch_size:
        raise ValueError(
            f"batch_size: expected at most the {len(pairs)} images to train on, found "
            f"{config.batch_size}"
        )
    whole = len(pairs) - len(pairs) % config.batch_size
    return [_Draw(pairs[index], bool(flips[index])) for index in order[:whole].tolist()]


def _step(teaching: Teaching, batch: list[Example]) -> float:
    """One step of SGD; returns the loss."""
    device = next(teaching.network.parameters()).device
    images = [example.pixels.to(device).float() / 255 for example in batch]
    min_area = teaching.config.source.min_area
    taught = [targets(example.instances.to(device), min_area) for example in batch]
    losses: dict[str, Tensor] = teaching.network(images, taught)
    total = torch.stack(list(losses.values())).sum()
    if not total.isfinite():
        found = ", ".join(f"{name} {loss.item():.4g}" for name, loss in losses.items())
        raise TrainingDiverged(
            f"expected finite losses, found {found} in epoch {teaching.epoch + 1}; "
            "a lower --lr may help"
        )
    teaching.optimizer.zero_grad(set_to_none=True)
    total.backward()
    teaching.optimizer.step()
    return total.item()
