"""What tests let several processes do; they find it by its module."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import nn

from mtdepth.checkpoint import Training
from mtdepth.config import TrainConfig
from mtdepth.data.augmentation import augment
from mtdepth.data.batch import Batch
from mtdepth.data.mixture import open_training
from mtdepth.data.shut import SplitIsShut, refuse_if_shut
from mtdepth.together import team
from mtdepth.together.norm import TeamBatchNorm, share_norms
from mtdepth.train import _losses, _second_look, _step, load_batch


def precise_steps(
    configs: Sequence[TrainConfig], num_steps: int, hear: Any = None
) -> list[list[list[float]]]:
    """Total and losses of each step of several trainings, in float64, and what became of them."""
    return [_precise(config, num_steps) for config in configs]


def _precise(config: TrainConfig, num_steps: int) -> list[list[float]]:
    data, found = open_training(config.data), []
    training = Training.start(config, torch.device("cpu"))
    if team.size() > 1:
        share_norms(training.network)
    training.network.double().train()
    training.weighting.double()
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(1)
    for step in range(num_steps):
        (indices, *_) = data.order(config.batch_size, config.seed, step + 1)
        loaded = load_batch(config, data, torch.device("cpu"), indices)
        batch, seen = map(_double, augment(loaded, config.augmentation, generator))
        found.append(_step(training, _losses(training, seen, batch)).tolist())
        if training.weighting.looks_back:
            training.weighting.after_step(_second_look(training, seen, batch))
    parameters = [*training.network.parameters(), *training.weighting.parameters()]
    with torch.no_grad():
        found.append([sum(p.square().sum().item() for p in parameters)])
    found.append([b.double().square().sum().item() for b in training.network.buffers()])
    found.append(training.weighting.weights().tolist())
    return found


def _double(batch: Batch) -> Batch:
    return replace(
        batch,
        target=batch.target.double(),
        sources=batch.sources.double(),
        intrinsics=batch.intrinsics.double(),
    )


def normalise(images: torch.Tensor, weigh: torch.Tensor, hear: Any = None) -> list[Any]:
    """Own part of what batch norm gives, and of its gradients; running statistics."""
    norm = nn.Sequential(nn.BatchNorm2d(images.shape[1])).to(images.dtype)
    with torch.no_grad():
        norm[0].weight.copy_(torch.linspace(0.5, 2, images.shape[1]))
    if team.size() > 1:
        share_norms(norm)
        assert isinstance(norm[0], TeamBatchNorm)
    own = team.own(len(images))
    part = images[own].clone().requires_grad_()
    out = norm(part)
    (out.sigmoid() * weigh[own]).sum().backward()
    gradients = [parameter.grad for parameter in norm.parameters()]
    team.add_up(gradients)
    judged = norm.eval()(part)
    found = [out, part.grad, *gradients, norm[0].running_mean, norm[0].running_var, judged]
    return [one.tolist() for one in found if one is not None]


def listen(hear: Any) -> dict[str, Any]:
    """What a process of a team is: its threads, its sockets, and whether the test split is shut."""
    try:
        refuse_if_shut("test")
        is_shut = False
    except SplitIsShut:
        is_shut = True
    sockets = [c.laddr.ip for c in psutil.Process().net_connections("inet") if c.laddr]
    team.wait()
    if team.is_first():
        hear("a", 1)
        hear("b", 2)
    return {"sockets": sockets, "is_shut": is_shut, "threads": torch.get_num_threads()}


def fail(rank: int, how: str, hear: Any) -> None:
    """One process fails in the midst, and the others wait for it."""
    team.wait()
    if torch.distributed.get_rank() == rank:
        if how == "raises":
            raise ValueError("the images are gone")
        os.kill(os.getpid(), 9)
    while True:
        team.wait()


def wait_for_ever(note: Path, hear: Any) -> None:
    """Writes down its process, and waits for one that does not come."""
    (note / f"{os.getpid()}").touch()
    if team.is_first():
        time.sleep(600)
    team.wait()


def parent_of_many(note: Path) -> None:
    """A process that has a team, for a test to kill."""
    from mtdepth.together.processes import together

    together(2, wait_for_ever, note)


def start_parent(note: Path) -> Any:
    """Starts it."""
    process = multiprocessing.get_context("spawn").Process(target=parent_of_many, args=(note,))
    process.start()
    return process
