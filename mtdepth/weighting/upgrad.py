"""UPGrad (Quinton and Rey, Jacobian Descent for Multi-Objective Optimization, 2024)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from mtdepth.weighting.torchjd import TorchJD


class UpGrad(TorchJD):
    """The mean of the gradients, each projected so that it harms no task.

    A projection goes onto the dual cone of all gradients, the directions along which no loss rises
    (sec. 3). Without conflict, all weigh 1 / T.
    """

    def method(self) -> Callable[[Tensor], Tensor]:
        """See `TorchJD`."""
        from torchjd.aggregation import UPGradWeighting

        return UPGradWeighting()
