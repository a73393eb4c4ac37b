"""The samples of a split, and the seeded batches made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mtdepth.config import DataConfig, EvaluationConfig
from mtdepth.data.batch import LoadedBatch
from mtdepth.data.check import unlabelled
from mtdepth.data.pack.manifest import is_pack
from mtdepth.data.pack.source import open_pack
from mtdepth.data.reader import open_reader
from mtdepth.data.root import data_root
from mtdepth.data.shut import refuse_if_shut
from mtdepth.data.source import RawSource, Sample, Source
from mtdepth.data.splits import Frame, list_split
from mtdepth.instances.targets import InstanceLabels, batch_labels
from mtdepth.metrics.names import Split

STEPS = (0, -1, 1)
"""From a target to the frames of its triplet."""


class SplitData:
    """The samples of one split.

    Args:
        frames: the target of each sample.
        source: where frames are from.
    """

    def __init__(self, frames: Sequence[Frame], source: Source) -> None:
        self.frames, self.source = list(frames), source

    def __len__(self) -> int:
        return len(self.frames)

    def has_neighbours(self, index: int) -> bool:
        """Whether the frames before and after a sample exist."""
        return all(self.source.has_image(self.frames[index].shifted(step)) for step in (-1, 1))

    def has_instances(self, index: int) -> bool:
        """Whether a sample has an instance map."""
        return self.source.has_instances(self.frames[index])

    def require_instances(self) -> None:
        """Sees that every sample can teach the task 'instances'.

        Raises:
            ValueError: one line that names the first without an instance map.
        """
        if problem := unlabelled(self.frames, self.source.has_instances):
            raise ValueError(problem)

    def batch(self, indices: Sequence[int], *, neighbours: bool = True) -> LoadedBatch:
        """The samples of these indices.

        Args:
            indices: into `frames`.
            neighbours: whether the frames before and after are wanted.

        Raises:
            ValueError: an image is missing or truncated.
        """
        frames = [self.frames[i] for i in indices]
        steps = STEPS if neighbours else STEPS[:1]
        pixels = np.stack([self.source.pixels(f.shifted(step)) for f in frames for step in steps])
        return LoadedBatch(
            frames=torch.from_numpy(pixels).unflatten(0, (len(frames), len(steps))),
            intrinsics=torch.from_numpy(np.stack([self.source.intrinsics(f) for f in frames])),
            instances=self._instances(frames),
        )

    def order(self, batch_size: int, seed: int, epoch: int) -> Iterator[list[int]]:
        """Indices of each batch of an epoch: a permutation that follows from seed and epoch.

        Raises:
            ValueError: there are fewer samples than a batch has.
        """
        shuffled = np.random.default_rng([seed, epoch]).permutation(len(self))
        return batched(shuffled, batch_size)

    def truth(self, index: int, evaluation: EvaluationConfig | None = None) -> Sample:
        """What a sample is judged against; `evaluation` tells where true depth is from."""
        return self.source.truth(self.frames[index], evaluation or EvaluationConfig())

    def _instances(self, frames: list[Frame]) -> InstanceLabels | None:
        maps = [self.source.instances(frame) for frame in frames]
        found = [one for one in maps if one is not None]
        return batch_labels(found) if len(found) == len(maps) else None


def open_split(config: DataConfig, split: Split) -> SplitData:
    """A split, shared by all trainings of a process that read the same data.

    Raises:
        ValueError: the data is not as it should be.
        SplitIsShut: it is the test split, and something is being trained.
    """
    refuse_if_shut(split)
    return opened(config.model_copy(update={"train_on": "train"}), split)


@lru_cache(maxsize=4)
def opened(config: DataConfig, split: Split) -> SplitData:
    """Behind the door of `open_split`, which is the only one to call it."""
    root = data_root(config)
    frames = list_split(config, root, split).frames
    return SplitData(frames, _open_source(config, root))


def _open_source(config: DataConfig, root: Path) -> Source:
    if is_pack(root):
        return open_pack(config, root)
    return RawSource(config, open_reader(config, root))


def batched(shuffled: NDArray[np.integer], batch_size: int) -> Iterator[list[int]]:
    """Whole batches of these indices; the rest is dropped.

    Raises:
        ValueError: there are fewer than a batch has.
    """
    if len(shuffled) < batch_size:
        raise ValueError(
            f"batch_size: expected at most the {len(shuffled)} samples of the training split, "
            f"found {batch_size}"
        )
    for start in range(0, len(shuffled) - batch_size + 1, batch_size):
        yield shuffled[start : start + batch_size].tolist()
