"""Fast and plain steps make models of the same quality: they differ less than two seeds do.

Run by hand, some minutes: `pytest -m slow -s tests/mtdepth/bench`.
"""

from __future__ import annotations

import statistics
from itertools import islice

import pytest
import torch

from mtdepth.bench import plain_step
from mtdepth.bench.plain_batch import plain_batch
from mtdepth.checkpoint import Training
from mtdepth.config import TrainConfig
from mtdepth.data.augmentation import augment
from mtdepth.data.loader import open_split
from mtdepth.evaluate import evaluate_network
from mtdepth.train import epoch_seed, learn
from study.space_loading import load_space

CPU = torch.device("cpu")
SEEDS = range(1, 6)
METRICS = ("val/depth/abs_rel", "val/depth/a1", "val/instances/ap50")


def trained(config: TrainConfig, kind: str) -> dict[str, float]:
    """What a training of the study's reaches, by steps of one kind on the same batches."""
    torch.manual_seed(config.seed)
    training = Training.start(config, CPU) if kind != "plain" else plain_step.start(config, CPU)
    data = open_split(config.data, "train")
    for epoch in range(1, config.epochs + 1):
        generator = torch.Generator().manual_seed(epoch_seed(config.seed, epoch))
        training.set_learning_rate()
        training.network.train()
        order = data.order(config.batch_size, config.seed, epoch)
        for indices in islice(order, config.max_steps_per_epoch):
            batch, seen = augment(data.batch(indices).to(CPU), config.augmentation, generator)
            if kind == "plain":
                plain_step.learn(training, plain_batch(batch, seen))
            else:
                learn(training, seen, batch)
        training.epoch = epoch
    metrics = evaluate_network(training.network, config, "val", CPU).metrics
    return {name: metrics[name] for name in METRICS}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fp32", "bf16"])
def test_they_reach_the_same_within_seed_noise(kind: str) -> None:
    torch.set_num_threads(1)
    space = load_space("weighting.yaml")
    found: dict[str, dict[str, list[float]]] = {}
    for name in (kind, "plain"):
        configs = [space.arm_config("mt-equal", {}, seed) for seed in SEEDS]
        precision = {"precision": "fp32" if name == "plain" else kind}
        reached = [
            trained(TrainConfig.model_validate({**config, **precision}), name) for config in configs
        ]
        found[name] = {metric: [one[metric] for one in reached] for metric in METRICS}
    for metric in METRICS:
        fast, plain = found[kind][metric], found["plain"][metric]
        noise = statistics.stdev(plain)
        apart = statistics.mean(fast) - statistics.mean(plain)
        print(
            f"{metric}: {kind} {statistics.mean(fast):.4f}, plain {statistics.mean(plain):.4f}, "
            f"apart {apart:+.4f}; between seeds {noise:.4f}"
        )
        assert abs(apart) < noise
