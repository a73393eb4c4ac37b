"""Equal weighting."""

from __future__ import annotations

import torch
from torch import Tensor

from mtdepth.weighting.base import Weighting


class Equal(Weighting):
    """The sum of the losses."""

    def weights(self) -> Tensor:
        """Ones (T,)."""
        return torch.ones(len(self.tasks))
