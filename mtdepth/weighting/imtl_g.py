"""IMTL-G (Liu et al., Towards Impartial Multi-Task Learning, 2021)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from mtdepth.weighting.torchjd import TorchJD


class ImtlG(TorchJD):
    """The combination whose projections onto all gradients are of one length.

    Its weights sum to 1, and can be negative where one gradient is much longer than another that
    it nearly agrees with.
    """

    def method(self) -> Callable[[Tensor], Tensor]:
        """See `TorchJD`."""
        from torchjd.aggregation import IMTLGWeighting

        return IMTLGWeighting()
