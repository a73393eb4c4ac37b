"""What `python -m mtdepth.bench` measures."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch

from mtdepth.bench import plain_step
from mtdepth.bench.floor import count_flops, least_bytes
from mtdepth.bench.machine import bytes_a_second, flops_a_second, in_turns
from mtdepth.bench.parts import time_parts
from mtdepth.bench.plain_batch import load, plain_batch
from mtdepth.checkpoint import Training
from mtdepth.config import AugmentationConfig, TrainConfig
from mtdepth.data.augmentation import augment
from mtdepth.data.batch import Batch
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.resident import near
from mtdepth.losses import task_losses
from mtdepth.train import learn, load_batch, train_step

OFF = AugmentationConfig(flip=0, color_jitter=0)


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds of a step over the rounds."""

    best: float
    median: float

    @classmethod
    def of(cls, seconds: list[float]) -> Times:
        """Of each round's."""
        return cls(best=min(seconds), median=statistics.median(seconds))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A step, the machine's floor under it, and the same step written plainly."""

    parts: dict[str, float]
    """Median seconds by part."""
    steps: dict[str, Times]
    """In the same rounds. `step`: of a batch that is there; `whole`: with its loading and
    augmentation, from frames in memory; `whole, decoded`: from files, as in a first epoch; and of
    the plain step, `plain step` and `plain whole`, which decodes files in every epoch."""
    flops: int
    """Of a step."""
    flops_a_second: float
    least_bytes: int
    bytes_a_second: float
    disagreement: dict[str, float]
    """Relative difference of the losses of the two steps: on the same batch, and on the same
    samples as each loads them, without augmentation."""

    def told(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def measure(
    config: TrainConfig, device: torch.device, num_rounds: int, *, reference: bool
) -> Measured:
    """Measures the training step of a configuration.

    Args:
        config: the training.
        device: where it trains.
        num_rounds: how often each work is timed, in turns with the others.
        reference: whether the plain step takes part.
    """
    data = near(open_split(config.data, "train"), device, config.data.device_gib, neighbours=True)
    indices = next(data.order(config.batch_size, config.seed, 1))
    loaded = data.batch(indices).to(device)
    generator = torch.Generator().manual_seed(config.seed)
    batch, seen = augment(loaded, config.augmentation, generator)
    training = Training.start(config, device)
    training.network.train()

    def load_and_step(data: SplitData) -> object:
        return train_step(training, load_batch(config, data, device, indices), generator)

    unkept = open_split(config.data.model_copy(update={"cache_gib": 0.0}), "train")
    works: dict[str, Callable[[], object]] = {
        "step": partial(learn, training, seen, batch),
        "whole": partial(load_and_step, data),
        "whole, decoded": partial(load_and_step, unkept),
    }
    disagreement = {}
    if reference:
        disagreement = _disagreement(config, data, indices, (batch, seen), device)
        plain, ready = plain_step.start(config, device), plain_batch(batch, seen)
        draws = torch.Generator().manual_seed(config.seed)

        def whole() -> object:
            fresh = load(unkept, indices, config.augmentation, draws)
            return plain_step.learn(plain, fresh.to(device))

        works |= {"plain step": partial(plain_step.learn, plain, ready), "plain whole": whole}
    times = in_turns(works, device, num_rounds)
    parts = [time_parts(training, data, indices, generator, device) for _ in range(num_rounds)]
    dtype = torch.bfloat16 if config.precision == "bf16" else torch.float32
    return Measured(
        parts={name: statistics.median(one[name] for one in parts) for name in parts[0]},
        steps={name: Times.of(seconds) for name, seconds in times.items()},
        flops=count_flops(works["step"]),
        flops_a_second=flops_a_second(device, dtype),
        least_bytes=least_bytes(partial(_losses, training, seen, batch), training.network),
        bytes_a_second=bytes_a_second(device),
        disagreement=disagreement,
    )


def _losses(training: Training, seen: Batch, batch: Batch) -> dict[str, torch.Tensor]:
    sources = seen.sources if "depth" in training.config.tasks else None
    return task_losses(training.network(seen.target, sources), batch, training.config)


def _disagreement(
    config: TrainConfig,
    data: SplitData,
    indices: list[int],
    ready: tuple[Batch, Batch],
    device: torch.device,
) -> dict[str, float]:
    """Relative difference of the plain step's total loss from ours, at a training's start."""
    batch, seen = ready
    loaded = data.batch(indices).to(device)
    pairs = {
        "same batch": (seen, batch, plain_batch(batch, seen)),
        "as loaded": (loaded, loaded, load(data, indices, OFF, torch.Generator()).to(device)),
    }
    found = {}
    for name, (ours_seen, ours, theirs) in pairs.items():
        training = Training.start(config, device)
        training.network.train()
        one = learn(training, ours_seen, ours)[0]
        other = plain_step.learn(plain_step.start(config, device), theirs)[0]
        found[name] = (other / one - 1).abs().item()
    return found
