"""Fast and plain steps make models of the same quality: they differ less than two seeds do.

Run by hand, some minutes: `pytest -m slow -s tests/mtdepth/bench`.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mtdepth import train
from mtdepth.bench import plain_step
from mtdepth.bench.plain_batch import plain_batch
from mtdepth.checkpoint import Training
from mtdepth.config import TrainConfig
from mtdepth.data.batch import Batch
from mtdepth.data.loader import open_split
from mtdepth.evaluate import evaluate_network
from study.space_loading import load_space

CPU = torch.device("cpu")
SEEDS = range(1, 6)
METRICS = ("val/depth/abs_rel", "val/depth/a1", "val/instances/ap50")
Start = Callable[[TrainConfig, torch.device], Training]


def plain_learn(training: Training, seen: Batch, batch: Batch) -> Tensor:
    return plain_step.learn(training, plain_batch(batch, seen))


def reached(precision: str, start: Start) -> dict[str, list[float]]:
    """Metrics of the trainings of the study that ships, a value a seed."""
    space = load_space("weighting.yaml")
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for seed in SEEDS:
        told = {**space.arm_config("mt-equal", {}, seed), "precision": precision}
        config = TrainConfig.model_validate(told)
        training, data = start(config, CPU), open_split(config.data, "train")
        while training.epoch < config.epochs:
            train.train_epoch(training, data, CPU)
        metrics = evaluate_network(training.network, config, "val", CPU).metrics
        for metric, values in found.items():
            values.append(metrics[metric])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_they_reach_the_same_within_seed_noise(
    precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    fast = reached(precision, Training.start)
    monkeypatch.setattr(train, "learn", plain_learn)
    plain = reached("fp32", plain_step.start)
    for metric in METRICS:
        noise = statistics.stdev(plain[metric])
        apart = statistics.mean(fast[metric]) - statistics.mean(plain[metric])
        print(
            f"{metric}: {precision} {statistics.mean(fast[metric]):.4f}, "
            f"plain {statistics.mean(plain[metric]):.4f}, apart {apart:+.4f}; "
            f"between seeds {noise:.4f}"
        )
        assert abs(apart) < noise
