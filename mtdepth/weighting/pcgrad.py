"""PCGrad (Yu et al., Gradient Surgery for Multi-Task Learning, 2020)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from mtdepth.weighting.torchjd import TorchJD


class PcGrad(TorchJD):
    """The sum of the gradients, each without what opposes another (Algorithm 1).

    A gradient with a negative inner product with another loses its component along it; the others
    are gone through in an order that torch's generator draws. Without conflict, all weigh 1.
    """

    def method(self) -> Callable[[Tensor], Tensor]:
        """See `TorchJD`."""
        from torchjd.aggregation import PCGradWeighting

        return PCGradWeighting()
