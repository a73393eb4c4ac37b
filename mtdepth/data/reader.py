"""What a reader of a data set on disk can do, whichever data set it is."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mtdepth.config import DataConfig, DepthTruth, LidarDepth
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.splits import Frame


class Reader(Protocol):
    """Finds and reads what belongs to a frame. What a data set doesn't have reads as None.

    Every method raises ValueError, with the path, for a file that is broken.
    """

    root: Path

    def image_path(self, frame: Frame) -> Path | None:
        """Where the image lies."""

    def expected_path(self, frame: Frame) -> Path:
        """Where an image that is missing should lie."""

    def image(self, frame: Frame) -> Image.Image:
        """The image, RGB; ValueError where it is missing."""

    def image_size(self, frame: Frame) -> tuple[int, int]:
        """Width and height of the image."""

    def intrinsics(self, frame: Frame) -> NDArray[np.float64]:
        """(3, 3) in pixels of the image."""

    def has_instances(self, frame: Frame) -> bool:
        """Whether there is an instance map."""

    def instances(self, frame: Frame) -> NDArray[np.int32] | None:
        """(H, W) instance map, `label_id * 1000 + k`, 0 for background."""

    def has_motion(self, frame: Frame) -> bool:
        """Whether it is known of any instance how it moves."""

    def may_have_motion(self, frame: Frame) -> bool:
        """The same as far as it can be told without reading any truth."""

    def motion(self, frame: Frame) -> NDArray[np.uint8] | None:
        """(H, W) map: 0 background or not known, 1 static, 2 moving, 3 co-moving instances."""

    def has_depth(self, frame: Frame, *, truth: DepthTruth = "best") -> bool:
        """Whether depth is known."""

    def depth_m(
        self, frame: Frame, *, truth: DepthTruth = "best", lidar_depth: LidarDepth = "velodyne"
    ) -> NDArray[np.float32] | None:
        """(H, W) metres, 0 where unknown; see `EvaluationConfig` for the options."""

    def has_pose(self, frame: Frame) -> bool:
        """Whether the camera's pose is known."""

    def world_T_cam(self, frame: Frame) -> NDArray[np.float64] | None:
        """(4, 4) pose of the camera. Poses of one drive share their world."""


def open_reader(config: DataConfig, root: Path) -> Reader:
    """The reader of the data set that `config` names, which lies at `root`.

    Others are not imported: Cityscapes' brings torch, which looking data over need not wait for.
    """
    if config.name == "cityscapes":
        from mtdepth.data.cityscapes import Cityscapes

        return Cityscapes(root)
    if config.name == "kitti-odometry":
        from mtdepth.data.odometry import KittiOdometry

        return KittiOdometry(root)
    return KittiRaw(root)
