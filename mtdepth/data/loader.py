"""Samples of a split in memory, and the seeded batches made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from mtdepth.config import DataConfig, EvaluationConfig
from mtdepth.data.batch import Batch
from mtdepth.data.check import data_root
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.splits import Frame, list_split
from mtdepth.geometry import resize_intrinsics
from mtdepth.metrics.names import Split

Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a frame is judged against, at the size of the data; None where the data has none."""

    frame: Frame
    depth_m: NDArray[np.float32] | None
    """(H, W) metres, 0 where unknown."""
    instances: NDArray[np.int32] | None
    """(H, W) instance map."""
    motion: NDArray[np.uint8] | None
    """(H, W): 1 static, 2 moving, 3 co-moving."""


class SplitData:
    """The frames of one split, decoded and resized once, and kept up to `cache_gib`.

    Args:
        config: which data, and at which size.
        split: which list.
    """

    def __init__(self, config: DataConfig, split: Split) -> None:
        self.config = config
        root = data_root(config)
        self.reader = KittiRaw(root)
        self.frames = list(list_split(config, root, split).frames)
        self._cache: dict[tuple[str, Frame], NDArray[np.generic]] = {}
        self._free = int(config.cache_gib * 2**30)

    def __len__(self) -> int:
        return len(self.frames)

    def has_neighbours(self, index: int) -> bool:
        """Whether the frames before and after a sample exist."""
        frame = self.frames[index]
        return all(self.reader.image_path(frame.shifted(step)) for step in (-1, 1))

    def batch(self, indices: Sequence[int], *, neighbours: bool = True) -> Batch:
        """The samples of these indices.

        Args:
            indices: into `frames`.
            neighbours: without, `sources` is empty, (B, 0, 3, H, W).

        Raises:
            ValueError: an image is missing or truncated.
        """
        frames = [self.frames[i] for i in indices]
        steps = (0, -1, 1) if neighbours else (0,)
        pixels = np.stack([[self._image(f.shifted(step)) for step in steps] for f in frames])
        colors = torch.from_numpy(pixels).float() / 255  # (B, 3 or 1, 3, H, W)
        return Batch(
            target=colors[:, 0],
            sources=colors[:, 1:],
            intrinsics=torch.stack([self._intrinsics(frame) for frame in frames]),
            instances=self._instances(frames),
        )

    def truth(self, index: int, evaluation: EvaluationConfig | None = None) -> Sample:
        """What a sample is judged against; `evaluation` tells where true depth is from."""
        frame = self.frames[index]
        told = evaluation or EvaluationConfig()
        return Sample(
            frame=frame,
            depth_m=self.reader.depth_m(frame, truth=told.truth, lidar_depth=told.lidar_depth),
            instances=self.reader.instances(frame),
            motion=self.reader.motion(frame),
        )

    def _instances(self, frames: list[Frame]) -> Tensor | None:
        maps = [self._instance_map(frame) for frame in frames]
        if any(x is None for x in maps):
            return None
        return torch.from_numpy(np.stack([x for x in maps if x is not None])).long()

    def _instance_map(self, frame: Frame) -> NDArray[np.generic] | None:
        if ("instance", frame) not in self._cache:
            found = self.reader.instances(frame)
            if found is None:
                return None
            resized = resize_nearest(found, self.config.height, self.config.width)
            return self._keep(("instance", frame), resized)
        return self._cache["instance", frame]

    def _image(self, frame: Frame) -> NDArray[np.generic]:
        """(3, H, W) uint8."""
        if ("image", frame) not in self._cache:
            image = self.reader.image(frame)
            resized = resize_image(image, self.config.height, self.config.width)
            return self._keep(("image", frame), resized)
        return self._cache["image", frame]

    def _keep(self, key: tuple[str, Frame], value: NDArray[np.generic]) -> NDArray[np.generic]:
        if value.nbytes <= self._free:
            self._free -= value.nbytes
            self._cache[key] = value
        return value

    def _intrinsics(self, frame: Frame) -> Tensor:
        calibration = self.reader.calibration(frame)
        width, height = calibration.image_size(frame.camera)
        full = torch.from_numpy(calibration.intrinsics(frame.camera).copy())
        scale_x, scale_y = self.config.width / width, self.config.height / height
        return resize_intrinsics(full, scale_x, scale_y).float()


def resize_image(image: Image.Image, height: int, width: int) -> NDArray[np.uint8]:
    """An RGB image as (3, height, width) uint8, resized by Lanczos' filter."""
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    return np.ascontiguousarray(np.asarray(image, dtype=np.uint8).transpose(2, 0, 1))


def resize_nearest(values: NDArray[Value], height: int, width: int) -> NDArray[Value]:
    """(height, width) of the nearest values of an (H, W) map."""
    rows = ((np.arange(height) + 0.5) * values.shape[0] / height).astype(np.int64)
    columns = ((np.arange(width) + 0.5) * values.shape[1] / width).astype(np.int64)
    return values[rows[:, None], columns]


@lru_cache(maxsize=4)
def open_split(config: DataConfig, split: Split) -> SplitData:
    """A split, shared by all trainings of a process that read the same data."""
    return SplitData(config, split)


def epoch_order(num_samples: int, batch_size: int, seed: int, epoch: int) -> Iterator[list[int]]:
    """Indices of each batch of an epoch: a permutation fixed by seed and epoch, the rest dropped.

    Raises:
        ValueError: the split has fewer samples than a batch.
    """
    if num_samples < batch_size:
        raise ValueError(
            f"batch_size: expected at most the {num_samples} samples of the training split, "
            f"found {batch_size}"
        )
    order = np.random.default_rng([seed, epoch]).permutation(num_samples).tolist()
    for start in range(0, num_samples - batch_size + 1, batch_size):
        yield order[start : start + batch_size]
