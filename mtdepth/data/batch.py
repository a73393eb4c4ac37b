"""A batch of triplets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtdepth.device import copied
from mtdepth.instances.targets import InstanceLabels, NumberedMap, batch_labels


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Frames of B samples at the network's size. Colours are in [0, 1], and RGB."""

    target: Tensor
    """(B, 3, H, W) the frame whose depth and instances are learned."""
    sources: Tensor
    """(B, 2, 3, H, W) the frames before and after it, or (B, 0, 3, H, W)."""
    intrinsics: Tensor
    """(B, 3, 3) in pixels."""
    instances: InstanceLabels | None
    """Of the target."""


@dataclass(frozen=True, kw_only=True)
class LoadedBatch:
    """A batch as it is loaded: on the CPU, and of a quarter of the bytes."""

    frames: Tensor
    """(B, 3, 3, H, W) uint8: target, before and after; or (B, 1, 3, H, W), the target alone."""
    intrinsics: Tensor
    """(B, 3, 3) float32."""
    instances: tuple[NumberedMap, ...] | None
    """Of the targets."""

    @classmethod
    def joined(cls, parts: Sequence[LoadedBatch], order: Tensor) -> LoadedBatch:
        """Samples of several batches as one, in this order; instances where all have them."""
        maps = [part.instances for part in parts if part.instances is not None]
        found = [one for part in maps for one in part]
        return cls(
            frames=torch.cat([part.frames for part in parts])[order],
            intrinsics=torch.cat([part.intrinsics for part in parts])[order],
            instances=tuple(found[i] for i in order) if len(maps) == len(parts) else None,
        )

    def to(self, device: torch.device | str) -> Batch:
        """What the network and its losses take, on a device."""
        colors = copied(self.frames, device).float() / 255
        return Batch(
            target=colors[:, 0],
            sources=colors[:, 1:],
            intrinsics=copied(self.intrinsics, device),
            instances=None if self.instances is None else batch_labels(self.instances).to(device),
        )
