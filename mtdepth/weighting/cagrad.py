"""CAGrad (Liu et al., Conflict-Averse Gradient Descent for Multi-task Learning, 2021)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from mtdepth.weighting.torchjd import TorchJD


class CaGrad(TorchJD):
    """The direction that serves the worst-off task best, near the mean gradient (Algorithm 1).

    It is no farther from the mean than c times the mean's length: c of 0 is the mean itself.
    """

    def method(self) -> Callable[[Tensor], Tensor]:
        """See `TorchJD`."""
        from torchjd.aggregation import CAGradWeighting

        return CAGradWeighting(c=self.config.cagrad_c)
