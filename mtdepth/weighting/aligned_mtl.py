"""Aligned-MTL (Senushkin et al., Independent Component Alignment for Multi-Task Learning, 2023)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from mtdepth.weighting.torchjd import TorchJD


class AlignedMtl(TorchJD):
    """The mean of the gradients, made orthogonal and of one length (Algorithm 1).

    The principal components of the gradients are rescaled to the length of the shortest.
    """

    def method(self) -> Callable[[Tensor], Tensor]:
        """See `TorchJD`."""
        from torchjd.aggregation import AlignedMTLWeighting

        return AlignedMTLWeighting()
