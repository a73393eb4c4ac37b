"""A batch of triplets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtdepth.device import copied
from mtdepth.instances.targets import InstanceLabels


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
    """A batch as it is loaded, in a quarter of the bytes: on the CPU, or where its split lies."""

    frames: Tensor
    """(B, 3, 3, H, W) uint8: target, before and after; or (B, 1, 3, H, W), the target alone."""
    intrinsics: Tensor
    """(B, 3, 3) float32."""
    instances: InstanceLabels | None
    """Of the targets."""

    @classmethod
    def joined(cls, parts: Sequence[LoadedBatch], order: NDArray[np.integer]) -> LoadedBatch:
        """Samples of several batches as one, in this order; instances where all have them.

        Where one of them is on a device, all go there.
        """
        devices = [part.frames.device for part in parts]
        device = next((one for one in devices if one.type != "cpu"), devices[0])
        rows = copied(torch.from_numpy(order), device)
        labels = [part.instances.to(device) for part in parts if part.instances is not None]
        return cls(
            frames=torch.cat([copied(part.frames, device) for part in parts])[rows],
            intrinsics=torch.cat([copied(part.intrinsics, device) for part in parts])[rows],
            instances=InstanceLabels.joined(labels)[rows] if len(labels) == len(parts) else None,
        )

    def to(self, device: torch.device | str) -> Batch:
        """What the network and its losses take, on a device."""
        colors = copied(self.frames, device).float() / 255
        return Batch(
            target=colors[:, 0],
            sources=colors[:, 1:],
            intrinsics=copied(self.intrinsics, device),
            instances=None if self.instances is None else self.instances.to(device),
        )
