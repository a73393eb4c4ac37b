"""A training step written plainly."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mtdepth.bench.plain_batch import PlainBatch
from mtdepth.bench.plain_loss import task_losses
from mtdepth.bench.plain_network import predict
from mtdepth.checkpoint import Training
from mtdepth.config import TrainConfig


def start(config: TrainConfig, device: torch.device) -> Training:
    """A training that begins as any of this configuration, with Adam as PyTorch has it."""
    training = Training.start(config, device)
    kept = ("params", "lr", "initial_lr", "weight_decay")
    groups = [{name: group[name] for name in kept} for group in training.optimizer.param_groups]
    training.optimizer = torch.optim.Adam(groups)
    training.network.train()
    return training


def losses(training: Training, batch: PlainBatch) -> dict[str, Tensor]:
    """The unweighted loss of each task."""
    target, before, after = (scales[0] for scales in batch.color_aug)
    learns_depth = "depth" in training.config.tasks
    sources = torch.stack([before, after], 1) if learns_depth else None
    return task_losses(predict(training.network, target, sources), batch, training.config)


def learn(training: Training, batch: PlainBatch) -> Tensor:
    """One step, which waits for its loss; returns the total and the raw losses, (1 + T,)."""
    found = losses(training, batch)
    training.optimizer.zero_grad()
    total = training.weighting.backward(found, list(training.network.parameters()))
    assert math.isfinite(total.item())
    training.optimizer.step()
    return torch.cat([total[None], training.weighting.stack(found).detach()])
