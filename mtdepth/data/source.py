"""Frames at the network's size, from wherever they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mtdepth.config import DataConfig, EvaluationConfig
from mtdepth.data.reader import Reader
from mtdepth.data.splits import Frame
from mtdepth.geometry import resize_intrinsics
from mtdepth.instances.targets import NumberedMap, number_instances

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


class Source(Protocol):
    """Gives what a batch is made of, frame by frame."""

    def has_image(self, frame: Frame) -> bool:
        """Whether the frame is there."""

    def pixels(self, frame: Frame) -> NDArray[np.uint8]:
        """(3, H, W) RGB; ValueError where it is missing or broken."""

    def intrinsics(self, frame: Frame) -> NDArray[np.float32]:
        """(3, 3) in pixels of (H, W)."""

    def has_instances(self, frame: Frame) -> bool:
        """Whether there is an instance map."""

    def instances(self, frame: Frame) -> NumberedMap | None:
        """(H, W) instance map, numbered and measured."""

    def truth(self, frame: Frame, evaluation: EvaluationConfig) -> Sample:
        """What the frame is judged against; `evaluation` tells where true depth is from."""

    def world_T_cam(self, frame: Frame) -> NDArray[np.float64] | None:
        """(4, 4) pose of the camera."""


class RawSource:
    """Decodes and resizes each frame once, and keeps it while `cache_gib` lasts.

    Args:
        config: the size, and the memory.
        reader: of the data set.
    """

    def __init__(self, config: DataConfig, reader: Reader) -> None:
        self.config, self.reader = config, reader
        self._images: dict[Frame, NDArray[np.uint8]] = {}
        self._maps: dict[Frame, NumberedMap] = {}
        self._free = int(config.cache_gib * 2**30)

    def has_image(self, frame: Frame) -> bool:
        """See `Source`."""
        return self.reader.image_path(frame) is not None

    def pixels(self, frame: Frame) -> NDArray[np.uint8]:
        """See `Source`."""
        if frame in self._images:
            return self._images[frame]
        pixels = resize_image(self.reader.image(frame), *self._size())
        if self._affords(pixels.nbytes):
            self._images[frame] = pixels
        return pixels

    def intrinsics(self, frame: Frame) -> NDArray[np.float32]:
        """See `Source`."""
        width, height = self.reader.image_size(frame)
        full = torch.from_numpy(self.reader.intrinsics(frame).copy())
        resized = resize_intrinsics(full, self.config.width / width, self.config.height / height)
        return resized.numpy().astype(np.float32)

    def has_instances(self, frame: Frame) -> bool:
        """See `Source`."""
        return self.reader.has_instances(frame)

    def instances(self, frame: Frame) -> NumberedMap | None:
        """See `Source`."""
        if frame in self._maps:
            return self._maps[frame]
        found = self.reader.instances(frame)
        if found is None:
            return None
        numbered = number_instances(resize_nearest(found, *self._size()))
        if self._affords(numbered.numbers.nbytes):
            self._maps[frame] = numbered
        return numbered

    def truth(self, frame: Frame, evaluation: EvaluationConfig) -> Sample:
        """See `Source`."""
        return Sample(
            frame=frame,
            depth_m=self.reader.depth_m(
                frame, truth=evaluation.truth, lidar_depth=evaluation.lidar_depth
            ),
            instances=self.reader.instances(frame),
            motion=self.reader.motion(frame),
        )

    def world_T_cam(self, frame: Frame) -> NDArray[np.float64] | None:
        """See `Source`."""
        return self.reader.world_T_cam(frame)

    def _size(self) -> tuple[int, int]:
        return self.config.height, self.config.width

    def _affords(self, num_bytes: int) -> bool:
        if num_bytes > self._free:
            return False
        self._free -= num_bytes
        return True


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
