"""Fixed weights: scalarisation (Xin et al., Do Current Multi-Task Optimization Methods in Deep
Learning Even Help?, 2022; Kurin et al., In Defense of the Unitary Scalarization, 2022)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mtdepth.config import WeightingConfig
from mtdepth.weighting.base import Weighting


class Fixed(Weighting):
    """The sum of weight times loss, with the weights of the configuration.

    Adam does not feel a factor on the total, so that the ratio of the weights is what counts: a
    grid over `weighting.instances_weight` alone, on a log scale, covers all of them.
    """

    def __init__(self, tasks: Sequence[str], config: WeightingConfig) -> None:
        super().__init__(tasks, config)
        by_task = {"depth": config.depth_weight, "instances": config.instances_weight}
        self._weights = torch.tensor([by_task.get(task, 1.0) for task in self.tasks])

    def weights(self) -> Tensor:
        """The configured weights (T,); a task without an option weighs 1."""
        return self._weights
