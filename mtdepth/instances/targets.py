"""Instance maps to what the network is taught: the offset from each pixel to its centroid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from mtdepth.device import copied
from mtdepth.instances.numbering import numbered


@dataclass(frozen=True, kw_only=True)
class NumberedMap:
    """An instance map whose instances are counted through and measured, once for all epochs."""

    numbers: NDArray[np.unsignedinteger]
    """(H, W), 0 for background, k for the k-th instance; of the smallest type that holds them."""
    measures: NDArray[np.float32]
    """(K, 3): the centroid of each instance's visible mask, x and y in pixels, and its area.
    Integer coordinates lie at pixel centres."""


@dataclass(frozen=True, kw_only=True)
class InstanceLabels:
    """The numbered maps of a batch."""

    numbers: Tensor
    """(B, H, W) integers."""
    measures: Tensor
    """(B, K, 3) x, y and area; zeros after the last instance of an image."""

    def to(self, device: torch.device | str) -> InstanceLabels:
        """The same labels on a device."""
        return InstanceLabels(
            numbers=copied(self.numbers, device), measures=copied(self.measures, device)
        )

    def __getitem__(self, rows: Tensor) -> InstanceLabels:
        """Those of some images, (B,) integers."""
        return InstanceLabels(numbers=self.numbers[rows], measures=self.measures[rows])

    @classmethod
    def joined(cls, parts: Sequence[InstanceLabels]) -> InstanceLabels:
        """Those of several batches as one."""
        most = max(part.measures.shape[1] for part in parts)
        measures = [pad(part.measures, (0, 0, 0, most - part.measures.shape[1])) for part in parts]
        return cls(
            numbers=torch.cat([part.numbers for part in parts]), measures=torch.cat(measures)
        )


def number_instances(instances: NDArray[np.integer]) -> NumberedMap:
    """Counts the instances of a map (H, W): 0 for background, any other value for an instance.

    Raises:
        ValueError: it is no such map.
    """
    if instances.ndim != 2 or not np.issubdtype(instances.dtype, np.integer):
        raise ValueError(
            f"expected instances (H, W) of integers, found {instances.shape} {instances.dtype}"
        )
    values, found = numbered(np.append(instances, 0))
    assert values[0] == 0, "values of an instance map are not negative"
    which, (ys, xs) = found[:-1], np.indices(instances.shape)
    areas = np.bincount(which, minlength=len(values))
    sums = [np.bincount(which, at.ravel(), minlength=len(values)) for at in (xs, ys)]
    measures = np.stack([*(total / areas.clip(1) for total in sums), areas], axis=1)
    smallest: np.dtype[np.unsignedinteger] = np.min_scalar_type(len(values) - 1)
    return NumberedMap(
        numbers=which.astype(smallest).reshape(instances.shape),
        measures=measures[1:].astype(np.float32),
    )


def batch_labels(maps: Sequence[NumberedMap]) -> InstanceLabels:
    """The labels of a batch, from maps of one size."""
    most = max(len(one.measures) for one in maps)
    measures = [np.pad(one.measures, ((0, most - len(one.measures)), (0, 0))) for one in maps]
    numbers = np.stack([one.numbers for one in maps])
    if numbers.dtype != np.uint8:  # torch can't do much with larger unsigned integers
        numbers = numbers.astype(np.int32)
    return InstanceLabels(
        numbers=torch.from_numpy(numbers), measures=torch.from_numpy(np.stack(measures))
    )


def offset_targets(labels: InstanceLabels, min_area: int) -> tuple[Tensor, Tensor]:
    """Vectors from pixels to the centroid of the visible mask of their instance.

    Objects that the border cuts off are kept. Background is offset zero.

    Args:
        labels: of a batch.
        min_area: instances with fewer pixels become background.

    Returns:
        offsets_px: (B, 2, H, W) float32, (x, y) in pixels.
        foreground: (B, H, W) bool.
    """
    numbers, measures = labels.numbers, labels.measures
    height, width = numbers.shape[-2:]
    table = torch.cat([measures.new_zeros(len(measures), 1, 3), measures], 1)  # (B, 1 + K, 3)
    places = numbers.flatten(1).long()[..., None].expand(-1, -1, 3)
    x, y, area = table.gather(1, places).unflatten(1, (height, width)).unbind(-1)  # (B, H, W)
    foreground = (numbers != 0) & (area >= min_area)
    columns = torch.arange(width, device=x.device)
    rows = torch.arange(height, device=x.device)[:, None]
    return torch.stack([x - columns, y - rows], 1) * foreground[:, None], foreground
