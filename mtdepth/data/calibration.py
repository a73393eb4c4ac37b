"""KITTI's calibration files of one recording date."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class Calibration:
    """Cameras, lidar and inertial unit of one date.

    Args:
        directory: `<root>/<date>`, with `calib_cam_to_cam.txt` and, where they are needed,
            `calib_velo_to_cam.txt` and `calib_imu_to_velo.txt`.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._cameras = _read(directory / "calib_cam_to_cam.txt")

    def _camera(self, key: str) -> Matrix:
        if key not in self._cameras:
            path = self.directory / "calib_cam_to_cam.txt"
            raise ValueError(f"{path}: expected a line {key!r}, found none")
        return self._cameras[key]

    def image_size(self, camera: str) -> tuple[int, int]:
        """Width and height of the rectified images."""
        width, height = self._camera(f"S_rect_{camera}")
        return int(width), int(height)

    def projection(self, camera: str) -> Matrix:
        """(3, 4), from the rectified frame of camera 0 to pixels."""
        return self._camera(f"P_rect_{camera}").reshape(3, 4)

    def intrinsics(self, camera: str) -> Matrix:
        """(3, 3) in pixels of the rectified images."""
        return self.projection(camera)[:, :3]

    def camera_T_velodyne(self, camera: str) -> Matrix:
        """(4, 4), from the lidar to the rectified frame of the camera."""
        rectify = np.eye(4)
        rectify[:3, :3] = self._camera("R_rect_00").reshape(3, 3)
        baseline = np.eye(4)
        baseline[:3, 3] = np.linalg.solve(self.intrinsics(camera), self.projection(camera)[:, 3])
        return baseline @ rectify @ _rigid(self.directory / "calib_velo_to_cam.txt")

    def camera_T_imu(self, camera: str) -> Matrix:
        """(4, 4), from the inertial unit to the rectified frame of the camera."""
        velodyne_T_imu = _rigid(self.directory / "calib_imu_to_velo.txt")
        return self.camera_T_velodyne(camera) @ velodyne_T_imu


@lru_cache(maxsize=64)
def read_calibration(directory: Path) -> Calibration:
    """The calibration of a date, read once."""
    return Calibration(directory)


def _rigid(path: Path) -> Matrix:
    values = _read(path)
    matrix = np.eye(4)
    matrix[:3, :3] = values["R"].reshape(3, 3)
    matrix[:3, 3] = values["T"]
    return matrix


def _read(path: Path) -> dict[str, Matrix]:
    if not path.is_file():
        raise ValueError(f"{path}: expected KITTI's calibration file, found none")
    values: dict[str, Matrix] = {}
    for line in path.read_text().splitlines():
        key, _, numbers = line.partition(":")
        try:
            values[key] = np.array(numbers.split(), dtype=np.float64)
        except ValueError:
            continue  # calib_time is a date
    return values
