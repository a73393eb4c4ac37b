"""Random Loss Weighting (Lin et al., Reasonable Effectiveness of Random Weighting: A Litmus Test
for Multi-Task Learning, 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from mtdepth.weighting.stepwise import Stepwise


class RandomLossWeighting(Stepwise):
    """Draws the weights of each step: softmax of standard normal numbers, whatever the losses
    (Algorithm 1).

    What no other method should lose to. The numbers come from torch's own generator on the CPU,
    which the training seeds before each epoch: they follow from the seed, the epoch and the step.
    """

    def step_weights(self, losses: Tensor) -> Tensor:
        """Weights (T,) that sum to 1."""
        return torch.softmax(torch.randn(len(losses)), 0).to(losses)
