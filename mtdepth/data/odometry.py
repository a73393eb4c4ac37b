"""The reader of KITTI's odometry benchmark: raw's cameras and lidar, in another layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mtdepth.data.calibration import Calibration, Matrix, numbers, read_lines
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.poses import read_poses
from mtdepth.data.splits import Frame


class KittiOdometry(KittiRaw):
    """Finds and reads what belongs to a frame. What a sequence doesn't have reads as None.

    A frame's drive is `sequences/NN`. Layout and formats are those of the `readme.txt` of the
    benchmark's development kit; instance maps may lie beside the images, in `instance_2` and
    `instance_3`. How instances move is worked out as of raw, from frames 0.1 s apart.

    Args:
        root: the directory that holds `sequences/NN` and, for 00 to 10, `poses/NN.txt`.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._calibrations: dict[str, SequenceCalibration] = {}
        self._poses: dict[str, NDArray[np.float64] | None] = {}

    def calibration(self, frame: Frame) -> SequenceCalibration:
        """The calibration of the frame's sequence."""
        if frame.drive not in self._calibrations:
            self._calibrations[frame.drive] = SequenceCalibration(self.root / frame.drive)
        return self._calibrations[frame.drive]

    def expected_path(self, frame: Frame) -> Path:
        """Where an image that is missing should lie."""
        return self._folder(frame, "image") / f"{frame.index:06d}.png"

    def _map_path(self, frame: Frame, kind: str) -> Path | None:
        path = self._folder(frame, kind) / f"{frame.index:06d}.png"
        return path if path.is_file() else None

    def _scan_path(self, frame: Frame) -> Path:
        return self.root / frame.drive / "velodyne" / f"{frame.index:06d}.bin"

    def _folder(self, frame: Frame, kind: str) -> Path:
        return self.root / frame.drive / f"{kind}_{int(frame.camera)}"

    def has_pose(self, frame: Frame) -> bool:
        """Whether the camera's pose is known: of sequences 00 to 10."""
        return self._world_T_camera0(frame) is not None

    def world_T_cam(self, frame: Frame) -> NDArray[np.float64] | None:
        """(4, 4) pose of the camera. The world of a sequence is camera 0 of its first frame.

        Raises:
            ValueError: the file of poses, or the calibration, is broken.
        """
        world_T_camera0 = self._world_T_camera0(frame)
        if world_T_camera0 is None:
            return None
        camera_T_camera0 = self.calibration(frame).camera_T_camera0(frame.camera)
        return world_T_camera0 @ np.linalg.inv(camera_T_camera0)

    def _world_T_camera0(self, frame: Frame) -> NDArray[np.float64] | None:
        if frame.drive not in self._poses:
            path = self.root / "poses" / f"{Path(frame.drive).name}.txt"
            self._poses[frame.drive] = read_poses(path)
        poses = self._poses[frame.drive]
        return None if poses is None or not 0 <= frame.index < len(poses) else poses[frame.index]


class SequenceCalibration(Calibration):
    """Cameras and lidar of one sequence.

    Args:
        directory: `<root>/sequences/NN`, with `calib.txt` and the images.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._path = directory / "calib.txt"
        self._lines = read_lines(self._path)
        self._sizes: dict[str, tuple[int, int]] = {}

    def image_size(self, camera: str) -> tuple[int, int]:
        """Width and height of the rectified images, as the first of them has it."""
        if camera not in self._sizes:
            self._sizes[camera] = _size_of_first(self.directory / f"image_{int(camera)}")
        return self._sizes[camera]

    def projection(self, camera: str) -> Matrix:
        """(3, 4), from the rectified frame of camera 0 to pixels."""
        return numbers(self._path, self._lines, f"P{int(camera)}", 3, 4)

    def camera_T_camera0(self, camera: str) -> Matrix:
        """(4, 4), from the rectified frame of camera 0 to that of the camera: a shift."""
        shift = np.eye(4)
        shift[:3, 3] = np.linalg.solve(self.intrinsics(camera), self.projection(camera)[:, 3])
        return shift

    def camera_T_velodyne(self, camera: str) -> Matrix:
        """(4, 4), from the lidar to the rectified frame of the camera."""
        if "Tr" not in self._lines:
            raise ValueError(
                f"{self._path}: expected a line 'Tr', found none; KITTI's archive of calibration "
                "files has it, that of images has not"
            )
        camera0_T_velodyne = np.eye(4)
        camera0_T_velodyne[:3] = numbers(self._path, self._lines, "Tr", 3, 4)
        return self.camera_T_camera0(camera) @ camera0_T_velodyne


def _size_of_first(folder: Path) -> tuple[int, int]:
    paths = [path for suffix in ("png", "jpg") for path in folder.glob(f"*.{suffix}")]
    if not paths:
        raise ValueError(f"{folder}: expected images (png or jpg), found none")
    try:
        with Image.open(min(paths)) as image:
            return image.size
    except (OSError, SyntaxError, UnidentifiedImageError) as error:
        raise ValueError(f"{min(paths)}: expected an image, found: {error}") from None
