"""Soft optimal uncertainty weighting, UW-SO (Kirchdorfer et al., Analytical Uncertainty-Based Loss
Weighting in Multi-Task Learning, 2024)."""

from __future__ import annotations

import torch
from torch import Tensor

from mtdepth.weighting.stepwise import SMALLEST_LOSS, Stepwise


class SoftOptimalUncertainty(Stepwise):
    """Weighs by the best uncertainty there is in closed form, softened (the paper's UW-SO).

    The sigma that minimises L / sigma + log sigma is L itself, which makes the weight 1 / L
    (eq. 2, UW-O). UW-SO takes w_k = exp(1 / (L_k T)) / sum_i exp(1 / (L_i T)) (eq. 4): the smaller
    loss weighs more, and a higher T is more even. The weights are not indifferent to the losses'
    units, nor is T.
    """

    def step_weights(self, losses: Tensor) -> Tensor:
        """Weights (T,) that sum to 1."""
        return torch.softmax(1 / (losses.clamp_min(SMALLEST_LOSS) * self.config.so_temperature), 0)
