"""What every weighting is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from mtdepth.config import WeightingConfig
from mtdepth.together import team


class Weighting(nn.Module, ABC):
    """Combines one loss a task into the loss that is minimised.

    Its parameters are trained beside the network's, and its state (buffers included) is part of a
    checkpoint. A single task is weighted like many. Losses that are NaN stay NaN in the total, so
    that the training sees them.

    Args:
        tasks: names of the losses, in their order.
        config: options of all methods; each reads its own.
    """

    stepwise: ClassVar[bool] = False
    """Whether `weights` tells of the steps that an epoch took, not of those that it will take."""
    looks_back: ClassVar[bool] = False
    """Whether `after_step` wants the losses of a step's batch once more."""

    def __init__(self, tasks: Sequence[str], config: WeightingConfig) -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        self.config = config

    @abstractmethod
    def weights(self) -> Tensor:
        """The effective weight of each task's loss, (T,), without gradient."""

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The loss to minimise, a scalar, from one scalar a task."""
        stacked = self.stack(losses)
        return (self.weights().to(stacked, non_blocking=True) * stacked).sum()

    def backward(
        self,
        losses: Mapping[str, Tensor],
        parameters: Sequence[nn.Parameter],
    ) -> Tensor:
        """Makes the gradients of a step, in `grad`, and returns the total without gradient.

        Args:
            losses: one scalar a task.
            parameters: of the network.
        """
        total = self(losses)
        total.backward()
        team.add_up([parameter.grad for parameter in parameters])
        return total.detach()

    def stack(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The losses (T,) in the order of the tasks."""
        return torch.stack([losses[task] for task in self.tasks])

    def after_step(self, losses: Mapping[str, Tensor]) -> None:
        """Hears the losses of the same batch after the step, without gradient, if it looks back."""

    def end_epoch(self, mean_losses: Mapping[str, float]) -> None:
        """Hears each task's mean loss when an epoch ends; most methods need not."""
