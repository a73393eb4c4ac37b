"""What the processes of a training say to each other; alone, a process gets back what it says.

Each has an equal part of every batch, and draws what is random for the whole of it. Losses are
means over the whole batch, and gradients are summed before anything goes by them: all processes
see the same numbers, and take the same step. Gradients are summed here and not by torch's
`DistributedDataParallel`, whose hooks see one backward pass a step: weightings that go by the
gradient of each task take one a task.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = timedelta(days=7)
"""How long one may wait for another, which judges and reports: who is lost is told otherwise."""


def join(rank: int, size: int, meeting_point: Path) -> None:
    """Meets the other processes, on loopback alone.

    Args:
        rank: of this process, from 0.
        size: how many there are.
        meeting_point: a file that is not there yet.
    """
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = loopback
    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(rank)
        backend = "cpu:gloo,cuda:nccl"
    store = torch.distributed.FileStore(str(meeting_point), size)  # type: ignore[attr-defined]
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)


def size() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this process is the one that judges and reports."""
    return not dist.is_initialized() or dist.get_rank() == 0


def own(num_samples: int) -> slice:
    """Which samples of a batch are this process's."""
    each, rank = num_samples // size(), dist.get_rank() if dist.is_initialized() else 0
    return slice(rank * each, (rank + 1) * each)


def wait() -> None:
    """Waits for all; on the CPU, which other than a GPU does not spin."""
    if size() > 1:
        dist.all_reduce(torch.zeros(1))


def noise_like(x: Tensor) -> Tensor:
    """Standard normal noise for x (B, ...): the own part of what is drawn for the whole batch."""
    if size() == 1:
        return torch.randn_like(x)
    whole = size() * len(x)
    return torch.randn(whole, *x.shape[1:], dtype=x.dtype, device=x.device)[own(whole)]


def count(found: Tensor) -> Tensor:
    """What a mean over counted pixels divides by, at least 1: this batch's number of them.

    Of several processes, the mean of theirs, so that the mean of their quotients is the quotient
    over all.
    """
    if size() == 1:
        return found.clamp(min=1)
    dist.all_reduce(total := found.clone())
    return total.clamp(min=1) / size()


def means(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Losses of the whole batch, from those of the own part: means over all processes.

    Their gradients are those of the own part's share, which `add_up` makes whole.
    """
    if size() == 1:
        return dict(losses)
    # one by one, so that a loss has no gradient of what only another depends on
    return {task: cast(Tensor, _Mean.apply(loss)) for task, loss in losses.items()}


def add_up(gradients: Sequence[Tensor | None]) -> None:
    """Sums gradients over all processes, in place; what has none here has none anywhere."""
    there = [gradient for gradient in gradients if gradient is not None]
    if size() == 1 or not there:
        return
    whole = torch.cat([gradient.flatten() for gradient in there])
    dist.all_reduce(whole)
    for gradient, part in zip(there, whole.split([g.numel() for g in there]), strict=True):
        gradient.copy_(part.view_as(gradient))


class _Mean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, loss: Tensor) -> Tensor:  # noqa: ARG004
        found = loss / size()
        dist.all_reduce(found)
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ARG004
        return gradients[0] / size()
