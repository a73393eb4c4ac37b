"""What the weightings share that weigh every step anew."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from mtdepth.config import WeightingConfig
from mtdepth.weighting.base import Weighting

SMALLEST_LOSS = 1e-8
"""Losses below count as this much where they are divided by, or their logarithm is taken."""


class Stepwise(Weighting):
    """The sum of weight times loss, with weights that follow from the losses of the step.

    No gradient flows through the weights. A loss that is NaN makes the total NaN.
    """

    stepwise: ClassVar[bool] = True
    mean: Tensor
    num_steps: Tensor

    def __init__(self, tasks: Sequence[str], config: WeightingConfig) -> None:
        super().__init__(tasks, config)
        self.register_buffer("mean", torch.full((len(self.tasks),), 1 / len(self.tasks)))
        self.register_buffer("num_steps", torch.tensor(0))

    @abstractmethod
    def step_weights(self, found: Tensor) -> Tensor:
        """The weights (T,) of a step, from its losses (T,) without gradient."""

    def weights(self) -> Tensor:
        """Mean weights (T,) of the steps of the epoch that runs, or ran last; at first 1 / T."""
        return self.mean.clone()

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The weighted losses."""
        stacked = self.stack(losses)
        weights = self.step_weights(stacked.detach())
        self.count(weights)
        return (weights * stacked).sum()

    def count(self, weights: Tensor) -> None:
        """Takes a step's weights (T,) into the mean."""
        self.num_steps += 1
        self.mean += (weights - self.mean) / self.num_steps

    def end_epoch(self, mean_losses: Mapping[str, float]) -> None:  # noqa: ARG002
        """Lets the mean begin anew with the next step."""
        self.num_steps.zero_()
