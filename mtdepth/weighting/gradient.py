"""What the weightings share that go by the tasks' gradients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtdepth.together import team
from mtdepth.weighting.base import Weighting
from mtdepth.weighting.stepwise import Stepwise


class GradientWeighting(Stepwise):
    """Combines the tasks' gradients of the parameters that tasks share.

    The weights of a step follow from the inner products of those gradients, the Gramian (Quinton
    and Rey, Jacobian Descent for Multi-Objective Optimization, 2024, sec. 6). A parameter that one
    task alone has gets that task's gradient as it is. A step costs a backward pass a task. Where
    nothing is shared, as with a single task, all weigh 1. A loss or a
    gradient that is not finite makes the total NaN.
    """

    @abstractmethod
    def step_weights(self, gramian: Tensor) -> Tensor:
        """The weights (T,) of a step, from its Gramian (T, T), float64 on the CPU."""

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The losses, weighted by the mean over the epoch's steps."""
        return Weighting.forward(self, losses)

    def backward(self, losses: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]) -> Tensor:
        """Makes the gradients of a step, and returns the sum of weight times loss."""
        stacked = self.stack(losses)
        shared, jacobian = _jacobian([losses[task] for task in self.tasks], parameters)
        gramian = (jacobian @ jacobian.mT).double().cpu()
        if not gramian.isfinite().all():
            return torch.full_like(stacked[0], torch.nan)
        weights = self.step_weights(gramian) if shared else torch.ones(len(stacked))
        weights = weights.to(stacked)
        combined = (weights @ jacobian).split([p.numel() for p in shared])
        for parameter, grad in zip(shared, combined, strict=True):
            parameter.grad = grad.view_as(parameter)
        self.count(weights)
        return (weights * stacked.detach()).sum()


def _jacobian(
    losses: Sequence[Tensor], parameters: Sequence[nn.Parameter]
) -> tuple[list[nn.Parameter], Tensor]:
    """What several tasks share, and each task's gradient of all its P numbers, (T, P).

    What one task alone has gets its gradient on the way.
    """
    by_task = [
        torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        for loss in losses
    ]
    for gradients in by_task:
        team.add_up(gradients)
    shared, columns = [], [losses[0].new_zeros(len(losses), 0)]
    for parameter, grads in zip(parameters, zip(*by_task, strict=True), strict=True):
        felt = [grad for grad in grads if grad is not None]
        if len(felt) > 1:
            shared.append(parameter)
            filled = [torch.zeros_like(parameter) if g is None else g for g in grads]
            columns.append(torch.stack([grad.flatten() for grad in filled]))
        elif felt:
            parameter.grad = felt[0].contiguous()  # a layout of its own would mislead Adam
    return shared, torch.cat(columns, 1).detach()
