"""A batch of triplets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Frames of B samples at the network's size. Colours are in [0, 1], and RGB."""

    target: Tensor
    """(B, 3, H, W) the frame whose depth and instances are learned."""
    sources: Tensor
    """(B, 2, 3, H, W) the frames before and after it."""
    intrinsics: Tensor
    """(B, 3, 3) in pixels."""
    instances: Tensor | None
    """(B, H, W) int64 instance map of the target, `label_id * 1000 + k`, 0 for background."""

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        instances = self.instances
        return replace(
            self,
            target=self.target.to(device, non_blocking=True),
            sources=self.sources.to(device, non_blocking=True),
            intrinsics=self.intrinsics.to(device, non_blocking=True),
            instances=None if instances is None else instances.to(device, non_blocking=True),
        )
