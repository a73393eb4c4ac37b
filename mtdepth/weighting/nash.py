"""Nash-MTL (Navon et al., Multi-Task Learning as a Bargaining Game, 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from mtdepth.weighting.gradient import GradientWeighting

RIDGE = 1e-6
"""Added to the Gramian's diagonal, as a share of its trace: without it, gradients that oppose each
other exactly, or are zero, have no solution."""
MAX_STEPS, PRECISION = 100, 1e-9


class Nash(GradientWeighting):
    """The tasks' Nash bargaining solution: weights with G w = 1 / w for the Gramian G (claim 3.1).

    The authors approach it by a series of convex programs; it is also where the convex function
    w^T G w / 2 - sum(log w) is smallest, to which Newton's method goes directly. The step has the
    length sqrt(T) whatever the gradients' lengths: each task gains the inverse of its weight.
    """

    def step_weights(self, gramian: Tensor) -> Tensor:
        """The weights (T,), positive, for a Gramian (T, T)."""
        trace = gramian.trace()
        scale = trace if trace > 0 else torch.ones_like(trace)
        return bargain(gramian / scale + RIDGE * torch.eye(len(gramian)).to(gramian)) / scale.sqrt()


def bargain(gramian: Tensor) -> Tensor:
    """The positive w (T,) with G w = 1 / w, for a positive definite G (T, T) of float64.

    Damped Newton steps, which for a self-concordant function never leave its domain and always
    arrive (Boyd and Vandenberghe, Convex Optimization, 2004, sec. 9.6).
    """
    weights = torch.ones(len(gramian)).to(gramian)
    for _ in range(MAX_STEPS):
        gradient = gramian @ weights - 1 / weights
        step = torch.linalg.solve(gramian + (1 / weights.square()).diag(), gradient)
        decrement = (gradient @ step).clamp_min(0).sqrt()
        weights = weights - step / (1 + decrement)
        if decrement < PRECISION:
            break
    return weights
