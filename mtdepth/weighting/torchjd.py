"""The gradient methods that TorchJD computes, behind the extra `gradients`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

from torch import Tensor

from mtdepth.config import WeightingConfig
from mtdepth.weighting.gradient import GradientWeighting


class TorchJD(GradientWeighting):
    """Asks a weighting of TorchJD.

    Raises:
        ValueError: TorchJD, or what it solves the method's problem with, is not installed.
    """

    def __init__(self, tasks: Sequence[str], config: WeightingConfig) -> None:
        super().__init__(tasks, config)
        try:
            self._method = self.method()
        except ImportError as error:
            raise ValueError(
                f"weighting.name: {config.name!r} needs TorchJD, found: "
                f"{' '.join(str(error).split())}; run pip install -e '.[gradients]' in the project"
            ) from None

    @abstractmethod
    def method(self) -> Callable[[Tensor], Tensor]:
        """Makes the weighting: from a Gramian (T, T) to weights (T,)."""

    def step_weights(self, gramian: Tensor) -> Tensor:
        """The weights (T,) for a Gramian (T, T).

        It is divided by its trace, since TorchJD takes gradients under 1e-4 for none, and what is
        small depends on the losses' units. No method minds the factor.
        """
        trace = gramian.trace()
        return self._method(gramian / trace if trace > 0 else gramian)
