"""Geometric Loss Strategy (Chennupati et al., MultiNet++: Multi-Stream Feature Aggregation and
Geometric Loss Strategy for Multi-Task Learning, 2019)."""

from __future__ import annotations

from torch import Tensor

from mtdepth.weighting.stepwise import SMALLEST_LOSS, Stepwise


class GeometricLoss(Stepwise):
    """The geometric mean of the losses, G = (product of L_k)^(1 / K).

    Its gradient weighs each loss by w_k = dG / dL_k = G / (K L_k), and the sum of w_k L_k is G
    itself. A loss in other units gives the same shares.
    """

    def step_weights(self, losses: Tensor) -> Tensor:
        """Weights (T,), finite also where a loss is 0."""
        losses = losses.clamp_min(SMALLEST_LOSS)
        return losses.log().mean().exp() / (len(losses) * losses)
