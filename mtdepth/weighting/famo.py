"""Fast Adaptive Multitask Optimization (Liu, Feng, Stone and Liu, FAMO, 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from mtdepth.config import WeightingConfig
from mtdepth.weighting.stepwise import SMALLEST_LOSS, Stepwise

BETAS, EPSILON = (0.9, 0.999), 1e-8
"""Adam's, by which the authors move the logits in practice (appendix C)."""


class Famo(Stepwise):
    """Weighs so that the logarithms of all losses fall alike (Algorithm 1).

    With z = softmax(xi), a step weighs w_k = c z_k / L_k, c = 1 / sum(z_i / L_i): the gradient of
    sum(z_k log L_k), rescaled to weights that sum to 1. After the step, xi descends by
    delta + gamma xi, where delta = J^T (log L before - log L after) and J is the Jacobian of the
    softmax: a task that fell by more weighs less from then on. Both losses are of the same batch,
    which costs one more forward pass a step. The authors' program also clips the network's
    gradients to length 1; ours does not. Losses that are NaN afterwards make xi NaN, and with it
    the next total.
    """

    looks_back: ClassVar[bool] = True
    logits: Tensor
    moments: Tensor
    num_updates: Tensor

    def __init__(self, tasks: Sequence[str], config: WeightingConfig) -> None:
        super().__init__(tasks, config)
        self.register_buffer("logits", torch.zeros(len(self.tasks)))
        self.register_buffer("moments", torch.zeros(2, len(self.tasks)))
        self.register_buffer("num_updates", torch.tensor(0))
        self._before: Tensor | None = None

    def step_weights(self, losses: Tensor) -> Tensor:
        """Weights (T,) that sum to 1; keeps the losses to compare them after the step."""
        self._before = losses
        shares = torch.softmax(self.logits, 0) / losses.clamp_min(SMALLEST_LOSS)
        return shares / shares.sum()

    def after_step(self, losses: Mapping[str, Tensor]) -> None:
        """Moves the logits by what the step did to the losses of its batch."""
        assert self._before is not None, "a step weighs before it is looked back on"
        before, after = (
            x.detach().clamp_min(SMALLEST_LOSS).log() for x in (self._before, self.stack(losses))
        )
        fell, share = (before - after).to(self.logits), torch.softmax(self.logits, 0)
        delta = share * (fell - (share * fell).sum())  # (T,) Jacobian of softmax, transposed
        self._descend(delta + self.config.famo_decay * self.logits)

    def _descend(self, grad: Tensor) -> None:
        """A step of Adam, whose state is in buffers so that a checkpoint has it."""
        self.num_updates += 1
        unbiased = []
        for moment, beta, power in zip(self.moments, BETAS, (1, 2), strict=True):
            moment.lerp_(grad**power, 1 - beta)
            unbiased.append(moment / (1 - beta ** self.num_updates.double()))
        self.logits -= self.config.famo_lr * unbiased[0] / (unbiased[1].sqrt() + EPSILON)
