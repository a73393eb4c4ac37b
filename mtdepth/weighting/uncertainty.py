"""Homoscedastic uncertainty (Kendall, Gal and Cipolla, Multi-Task Learning Using Uncertainty to
Weigh Losses, 2018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtdepth.config import WeightingConfig
from mtdepth.weighting.base import Weighting


class Uncertainty(Weighting):
    """Learns each task's noise: sum of L / (2 sigma^2) + log sigma (eq. 7).

    The parameter is s = log sigma^2, as the paper advises (sec. 3.2). The total is negative where
    sigma is small; that is normal.
    """

    def __init__(self, tasks: Sequence[str], config: WeightingConfig) -> None:
        super().__init__(tasks, config)
        self.log_variance = nn.Parameter(torch.full((len(self.tasks),), config.init_log_variance))

    def weights(self) -> Tensor:
        """1 / (2 sigma^2), (T,)."""
        return 0.5 * torch.exp(-self.log_variance.detach())

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The weighted losses and the price of uncertainty."""
        stacked = self.stack(losses)
        return 0.5 * (torch.exp(-self.log_variance) * stacked + self.log_variance).sum()
