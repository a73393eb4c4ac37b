"""The reader of KITTI raw's layout: real drives and driveworld alike."""

from __future__ import annotations

from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mtdepth.config import DepthTruth, LidarDepth
from mtdepth.data.calibration import Calibration, read_calibration
from mtdepth.data.images import png_or_jpg, read_image, read_map
from mtdepth.data.lidar import depth_from_scan, points_ahead
from mtdepth.data.motion import motion_map, work_out
from mtdepth.data.oxts import speed_mps, time_s, world_T_cam
from mtdepth.data.poses import read_poses
from mtdepth.data.sighting import Sighting, instance_clouds
from mtdepth.data.splits import Frame


class KittiRaw:
    """Finds and reads what belongs to a frame. What a drive doesn't have reads as None.

    Args:
        root: the directory that holds `<date>/<date>_drive_NNNN_sync`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._motions: dict[Frame, dict[int, int]] = {}

    def calibration(self, frame: Frame) -> Calibration:
        """The calibration of the frame's date."""
        return read_calibration(self.root / Path(frame.drive).parent)

    def image_size(self, frame: Frame) -> tuple[int, int]:
        """Width and height of the rectified image."""
        return self.calibration(frame).image_size(frame.camera)

    def intrinsics(self, frame: Frame) -> NDArray[np.float64]:
        """(3, 3) in pixels of the rectified image."""
        return self.calibration(frame).intrinsics(frame.camera)

    def image_path(self, frame: Frame) -> Path | None:
        """Where the image lies, as png or jpg."""
        return png_or_jpg(self.expected_path(frame))

    def expected_path(self, frame: Frame) -> Path:
        """Where an image that is missing should lie."""
        folder = self.root / frame.drive / f"image_{frame.camera}" / "data"
        return folder / f"{frame.index:010d}.png"

    def image(self, frame: Frame) -> Image.Image:
        """The image, RGB.

        Raises:
            ValueError: it is missing, truncated or no image.
        """
        path = self.image_path(frame)
        if path is None:
            raise ValueError(
                f"{self.expected_path(frame)}: expected an image (png or jpg), found none"
            )
        return read_image(path)

    def _map_path(self, frame: Frame, kind: str) -> Path | None:
        folder = self.root / frame.drive / f"{kind}_{frame.camera}" / "data"
        path = folder / f"{frame.index:010d}.png"
        return path if path.is_file() else None

    def has_map(self, frame: Frame, kind: Literal["instance", "motion"]) -> bool:
        """Whether an instance map, or a map of moving instances, lies beside the image."""
        return self._map_path(frame, kind) is not None

    def has_instances(self, frame: Frame) -> bool:
        """Whether there is an instance map."""
        return self.has_map(frame, "instance")

    def instances(self, frame: Frame) -> NDArray[np.int32] | None:
        """(H, W) instance map, `label_id * 1000 + k`, 0 for background."""
        path = self._map_path(frame, "instance")
        return None if path is None else read_map(path).astype(np.int32)

    def has_motion(self, frame: Frame) -> bool:
        """Whether it is known of any instance how it moves; works it out where there is no map."""
        return self.has_map(frame, "motion") or bool(self._worked_out(frame))

    def may_have_motion(self, frame: Frame) -> bool:
        """Whether there is a map, or all that motion can be worked out from."""
        has_all = self.has_instances(frame) and self._scan_path(frame).is_file()
        return self.has_map(frame, "motion") or (has_all and self.has_pose(frame))

    def motion(self, frame: Frame) -> NDArray[np.uint8] | None:
        """(H, W) map: 0 background or not known, 1 static, 2 moving, 3 co-moving instances.

        Where a drive has no such map, candidates are worked out from instance maps, lidar and
        oxts, see `mtdepth.data.motion`.

        Raises:
            ValueError: a file that it is read or worked out from is broken.
        """
        path = self._map_path(frame, "motion")
        if path is not None:
            return read_map(path).astype(np.uint8)
        motions, instances = self._worked_out(frame), self.instances(frame)
        return motion_map(instances, motions) if motions and instances is not None else None

    def _worked_out(self, frame: Frame) -> dict[int, int]:
        if frame not in self._motions:
            self._motions[frame] = work_out(frame, partial(_sighting, self))
        return self._motions[frame]

    def sighting(self, frame: Frame) -> Sighting | None:
        """The instances as the lidar measures them; None where there is no scan, no pose, or no
        instance map of the image's size."""
        if not (self.has_map(frame, "instance") and self._scan_path(frame).is_file()):
            return None
        instances, pose = self.instances(frame), self.world_T_cam(frame)
        calibration = self.calibration(frame)
        size = self.image_size(frame)
        if instances is None or pose is None or instances.shape[::-1] != size:
            return None
        ahead = points_ahead(self._scan_path(frame), calibration, frame.camera)
        oxts = self._drive(frame).oxts
        return Sighting(
            clouds_m=instance_clouds(instances, ahead.points_m, ahead.places),
            world_T_cam=pose,
            time_s=time_s(oxts, frame.index),
            speed_mps=speed_mps(oxts, frame.index),
        )

    def _depth_map_path(self, frame: Frame) -> Path:
        folder = self.root / frame.drive / "proj_depth/groundtruth" / f"image_{frame.camera}"
        return folder / f"{frame.index:010d}.png"

    def _scan_path(self, frame: Frame) -> Path:
        return self.root / frame.drive / "velodyne_points/data" / f"{frame.index:010d}.bin"

    def has_depth(self, frame: Frame, *, truth: DepthTruth = "best") -> bool:
        """Whether there is a depth map or a lidar scan; `lidar` passes over the map."""
        has_map = truth == "best" and self._depth_map_path(frame).is_file()
        return has_map or self._scan_path(frame).is_file()

    def depth_m(
        self, frame: Frame, *, truth: DepthTruth = "best", lidar_depth: LidarDepth = "velodyne"
    ) -> NDArray[np.float32] | None:
        """(H, W) metres, 0 where unknown: the depth map if there is one, else the lidar scan.

        Args:
            frame: the image.
            truth: `lidar` passes over the depth map, see `EvaluationConfig`.
            lidar_depth: what is the depth of a point of the scan.
        """
        path = self._depth_map_path(frame)
        if truth == "best" and path.is_file():
            return read_map(path).astype(np.float32) / np.float32(256)
        if not self._scan_path(frame).is_file():
            return None
        return depth_from_scan(
            self._scan_path(frame), self.calibration(frame), frame.camera, lidar_depth
        )

    def _drive(self, frame: Frame) -> _Poses:
        return _poses(self.root / frame.drive)

    def has_pose(self, frame: Frame) -> bool:
        """Whether the camera's pose is known."""
        poses = self._drive(frame)
        if frame.camera == "02" and poses.exact is not None:
            return 0 <= frame.index < len(poses.exact)
        return (poses.oxts / "data" / f"{frame.index:010d}.txt").is_file()

    def world_T_cam(self, frame: Frame) -> NDArray[np.float64] | None:
        """(4, 4) pose of the camera, from `poses_02.txt` if the drive has one, else from oxts.

        Poses of one drive share their world; those of different drives need not.

        Raises:
            ValueError: what tells the pose, or the calibration, is broken.
        """
        if not self.has_pose(frame):
            return None
        poses = self._drive(frame)
        if frame.camera == "02" and poses.exact is not None:
            return poses.exact[frame.index]
        return world_T_cam(poses.oxts, frame.index, self.calibration(frame), frame.camera)


@lru_cache(maxsize=8)
def _sighting(reader: KittiRaw, frame: Frame) -> Sighting | None:
    """Kept while the frames around it are looked at."""
    return reader.sighting(frame)


class _Poses:
    """Where the poses of one drive are."""

    def __init__(self, drive: Path) -> None:
        self.oxts = drive / "oxts"
        self._path = drive / "poses_02.txt"

    @cached_property
    def exact(self) -> NDArray[np.float64] | None:
        return read_poses(self._path)


@lru_cache(maxsize=1024)
def _poses(drive: Path) -> _Poses:
    return _Poses(drive)
