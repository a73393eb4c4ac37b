"""Dynamic Weight Average (Liu et al., End-to-End Multi-Task Learning with Attention, 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtdepth.config import WeightingConfig
from mtdepth.weighting.base import Weighting
from mtdepth.weighting.stepwise import SMALLEST_LOSS


class DynamicWeightAverage(Weighting):
    """Weighs a task more while its loss falls more slowly (eq. 7).

    lambda_k(t) = K exp(w_k(t-1) / T) / sum_i exp(w_i(t-1) / T), w_k(t-1) = L_k(t-1) / L_k(t-2),
    with the mean losses L of whole epochs; the first two epochs have weights of 1. A loss of next
    to zero in the epoch before the last counts as one that did not change.
    """

    history: Tensor

    def __init__(self, tasks: Sequence[str], config: WeightingConfig) -> None:
        super().__init__(tasks, config)
        self.register_buffer("history", torch.full((2, len(self.tasks)), torch.nan))

    def weights(self) -> Tensor:
        """The weights of the epoch (T,), which sum to T."""
        before_last, last = self.history
        ones = torch.ones_like(last)
        ratio = torch.where(before_last > SMALLEST_LOSS, last / before_last, ones)
        weights = len(self.tasks) * torch.softmax(ratio / self.config.temperature, 0)
        return torch.where(self.history.isnan().any(), ones, weights)

    def end_epoch(self, mean_losses: Mapping[str, float]) -> None:
        """Moves the history by one epoch."""
        newest = self.history.new_tensor([mean_losses[task] for task in self.tasks])
        self.history.copy_(torch.stack([self.history[1], newest]))
