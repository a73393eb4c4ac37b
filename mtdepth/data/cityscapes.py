"""The reader of Cityscapes in its own layout: `<type>/<split>/<city>/<city>_<sequence>_<frame>`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mtdepth.config import DepthTruth, LidarDepth
from mtdepth.data.cityscapes_camera import StereoCamera, read_camera
from mtdepth.data.cityscapes_crop import (
    HEIGHT,
    WIDTH,
    cropped_image,
    cropped_map,
    cropped_size,
    whole_size,
)
from mtdepth.data.images import png_or_jpg
from mtdepth.data.labels import IDS_A_LABEL, LABELS
from mtdepth.data.splits import Frame
from mtdepth.geometry import resize_intrinsics

NUM_BEFORE, NUM_AFTER = 19, 10
"""Frames of a snippet before and after the annotated one, whose number is 19 where a city counts
each snippet anew, and any where it counts on."""
_KINDS = {"l": "leftImg8bit", "r": "rightImg8bit"}


class Cityscapes:
    """Finds and reads what belongs to a frame. What Cityscapes doesn't have reads as None.

    A frame's drive is `<split>/<city>/<city>_<sequence>`. Images are 2048x1024, or copies of that
    shape and any size; what is told of a frame goes by the size of its image.

    Args:
        root: the directory that holds `leftImg8bit_sequence`, `camera`, `gtFine` and `disparity`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._camera = lru_cache(maxsize=None)(self._find_camera)

    def image_path(self, frame: Frame) -> Path | None:
        """Where the image lies, as png or jpg: among the snippets, or annotated ones alone."""
        kind = _KINDS[frame.side]
        for folder in (f"{kind}_sequence", kind):
            if found := png_or_jpg(self._path(frame, folder, f"{kind}.png")):
                return found
        return None

    def expected_path(self, frame: Frame) -> Path:
        """Where an image that is missing should lie."""
        kind = _KINDS[frame.side]
        return self._path(frame, f"{kind}_sequence", f"{kind}.png")

    def image(self, frame: Frame) -> Image.Image:
        """The upper three quarters of the image, RGB.

        Raises:
            ValueError: it is missing, truncated, no image, or of another shape.
        """
        return cropped_image(self._existing(frame))

    def image_size(self, frame: Frame) -> tuple[int, int]:
        """Width and height of the upper three quarters of the image."""
        return cropped_size(self._existing(frame))

    def intrinsics(self, frame: Frame) -> NDArray[np.float64]:
        """(3, 3) in pixels of the image."""
        width, height = whole_size(self._existing(frame))
        published = torch.from_numpy(self._camera(frame).intrinsics)
        return resize_intrinsics(published, width / WIDTH, height / HEIGHT).numpy()

    def has_instances(self, frame: Frame) -> bool:
        """Whether there is an instance map: of annotated left images alone."""
        return self._instances_path(frame) is not None

    def instances(self, frame: Frame) -> NDArray[np.int32] | None:
        """(H, W) instance map, `label_id * 1000 + k`, 0 for background.

        Background is all but single instances of `LABELS`: groups as well.
        """
        path = self._instances_path(frame)
        if path is None:
            return None
        values = cropped_map(path, self._existing(frame))
        return np.where(np.isin(values // IDS_A_LABEL, LABELS), values, 0).astype(np.int32)

    def has_motion(self, frame: Frame) -> bool:  # noqa: ARG002
        """Cityscapes does not tell how instances move."""
        return False

    def may_have_motion(self, frame: Frame) -> bool:  # noqa: ARG002
        """Cityscapes does not tell how instances move."""
        return False

    def motion(self, frame: Frame) -> NDArray[np.uint8] | None:  # noqa: ARG002
        """Cityscapes does not tell how instances move."""
        return None

    def has_depth(self, frame: Frame, *, truth: DepthTruth = "best") -> bool:
        """Whether there is a disparity map: of annotated left images alone. There is no lidar."""
        return truth == "best" and self._map_path(frame, "disparity", "disparity.png") is not None

    def depth_m(
        self,
        frame: Frame,
        *,
        truth: DepthTruth = "best",
        lidar_depth: LidarDepth = "velodyne",  # noqa: ARG002
    ) -> NDArray[np.float32] | None:
        """(H, W) metres, 0 where unknown, from stereo: baseline times focal length by disparity.

        The values of a disparity map are pixels of 2048 columns, whatever its size.

        Args:
            frame: the image.
            truth: `lidar` finds none.
            lidar_depth: has no say here.
        """
        path = self._map_path(frame, "disparity", "disparity.png")
        if path is None or truth == "lidar":
            return None
        return self._camera(frame).depth_m(cropped_map(path, self._existing(frame)))

    def has_pose(self, frame: Frame) -> bool:  # noqa: ARG002
        """Cityscapes tells speed and yaw rate, and no pose."""
        return False

    def world_T_cam(self, frame: Frame) -> NDArray[np.float64] | None:  # noqa: ARG002
        """Cityscapes tells speed and yaw rate, and no pose."""
        return None

    def _path(self, frame: Frame, folder: str, ending: str) -> Path:
        return self.root / folder / f"{frame.drive}_{frame.index:06d}_{ending}"

    def _existing(self, frame: Frame) -> Path:
        path = self.image_path(frame)
        if path is None:
            raise ValueError(
                f"{self.expected_path(frame)}: expected an image (png or jpg), found none"
            )
        return path

    def _map_path(self, frame: Frame, folder: str, ending: str) -> Path | None:
        path = self._path(frame, folder, ending)
        return path if frame.side == "l" and path.is_file() else None

    def _instances_path(self, frame: Frame) -> Path | None:
        """The maps of the published test split show the bonnet and the border, and no instance."""
        if frame.drive.startswith("test/"):
            return None
        return self._map_path(frame, "gtFine", "gtFine_instanceIds.png")

    def _find_camera(self, frame: Frame) -> StereoCamera:
        """Of the frame, or of the annotated frame of its snippet."""
        for step in sorted(range(-NUM_AFTER, NUM_BEFORE + 1), key=abs):
            path = self._path(frame.shifted(step), "camera", "camera.json")
            if path.is_file():
                return read_camera(path)
        raise ValueError(
            f"{self._path(frame, 'camera', 'camera.json')}: expected Cityscapes' camera file of "
            "this frame or of the annotated frame of its snippet, found neither"
        )
