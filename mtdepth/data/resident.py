"""A split whose frames all lie where they are trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtdepth.data.batch import LoadedBatch
from mtdepth.data.loader import STEPS, SplitData
from mtdepth.data.pack.source import PackSource
from mtdepth.data.splits import Frame
from mtdepth.device import copied
from mtdepth.instances.targets import InstanceLabels, batch_labels
from mtdepth.memory import device_free_bytes

CHUNK = 256
"""Frames that are copied at once."""


class ResidentSplit(SplitData):
    """Picks the batches of a split out of tensors on a device.

    Args:
        data: the split.
        device: where all of it is copied to.
        neighbours: whether the frames before and after are ever asked for.
    """

    def __init__(self, data: SplitData, device: torch.device, *, neighbours: bool) -> None:
        super().__init__(data.frames, data.source)
        rows, frames = _places(data, neighbours=neighbours)
        self._rows = torch.tensor(rows, device=device)
        self._pixels = _table(map(self.source.pixels, frames), len(frames), device)
        self._matrices = _table(map(self.source.intrinsics, self.frames), len(self), device)
        self._labels = self._all_labels(device)

    def batch(self, indices: Sequence[int], *, neighbours: bool = True) -> LoadedBatch:
        """See `SplitData`; where one sample of the split has no instances, none has."""
        chosen = copied(torch.tensor(list(indices)), self._rows.device)
        rows = self._rows[chosen] if neighbours else self._rows[chosen, :1]
        return LoadedBatch(
            frames=self._pixels[rows],
            intrinsics=self._matrices[chosen],
            instances=None if self._labels is None else self._labels[chosen],
        )

    def _all_labels(self, device: torch.device) -> InstanceLabels | None:
        if not all(map(self.source.has_instances, self.frames)):
            return None
        found, maps = [], map(self.source.instances, self.frames)
        while chunk := [one for one in islice(maps, CHUNK) if one is not None]:
            found.append(batch_labels(chunk).to(device))
        return InstanceLabels.joined(found)


@lru_cache(maxsize=4)
def near(data: SplitData, device: torch.device, limit_gib: float, *, neighbours: bool) -> SplitData:
    """A split as a training on a device best reads it: from there, if it is packed and fits.

    Args:
        data: the split.
        device: of the training.
        limit_gib: how much of a GPU's memory it may take; never more than half of what is free.
        neighbours: whether the frames before and after are wanted.
    """
    if device.type != "cuda" or not isinstance(data.source, PackSource):
        return data
    _, frames = _places(data, neighbours=neighbours)
    pixels = data.source.pixels(frames[0]).nbytes
    num_bytes = len(frames) * pixels + len(data) * pixels // 3  # and a map, of a byte a pixel
    if num_bytes > min(limit_gib * 2**30, device_free_bytes() / 2):
        return data
    return ResidentSplit(data, device, neighbours=neighbours)


def _places(data: SplitData, *, neighbours: bool) -> tuple[list[list[int]], list[Frame]]:
    """The rows of each sample in a table of frames, and these frames."""
    steps = STEPS if neighbours else STEPS[:1]
    wanted = [[frame.shifted(step) for step in steps] for frame in data.frames]
    place = {frame: row for row, frame in enumerate(dict.fromkeys(chain(*wanted)))}
    return [[place[frame] for frame in one] for one in wanted], list(place)


def _table(arrays: Iterable[NDArray[np.generic]], num: int, device: torch.device) -> Tensor:
    """(N, ...) of arrays of one shape."""
    left: Iterator[NDArray[np.generic]] = iter(arrays)
    first = torch.from_numpy(np.stack([next(left)]))
    table = torch.empty(num, *first.shape[1:], dtype=first.dtype, device=device)
    table[:1] = first
    for start in range(1, num, CHUNK):
        chunk = torch.from_numpy(np.stack(list(islice(left, CHUNK))))
        table[start : start + len(chunk)] = copied(chunk, device)
    return table
