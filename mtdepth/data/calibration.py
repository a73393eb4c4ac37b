"""KITTI's calibration files of one recording date."""

from __future__ import annotations

import math
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
        self._path = directory / "calib_cam_to_cam.txt"
        self._lines = read_lines(self._path)

    def image_size(self, camera: str) -> tuple[int, int]:
        """Width and height of the rectified images."""
        width, height = numbers(self._path, self._lines, f"S_rect_{camera}", 2)
        return int(width), int(height)

    def projection(self, camera: str) -> Matrix:
        """(3, 4), from the rectified frame of camera 0 to pixels."""
        return numbers(self._path, self._lines, f"P_rect_{camera}", 3, 4)

    def intrinsics(self, camera: str) -> Matrix:
        """(3, 3) in pixels of the rectified images."""
        return self.projection(camera)[:, :3]

    def camera_T_velodyne(self, camera: str) -> Matrix:
        """(4, 4), from the lidar to the rectified frame of the camera."""
        rectify = np.eye(4)
        rectify[:3, :3] = numbers(self._path, self._lines, "R_rect_00", 3, 3)
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
    lines = read_lines(path)
    matrix = np.eye(4)
    matrix[:3, :3] = numbers(path, lines, "R", 3, 3)
    matrix[:3, 3] = numbers(path, lines, "T", 3)
    return matrix


def read_lines(path: Path) -> dict[str, str]:
    """The lines of a file, by what stands before the colon.

    Raises:
        ValueError: there is no such file.
    """
    if not path.is_file():
        raise ValueError(f"{path}: expected KITTI's calibration file, found none")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {key: values for key, _, values in (line.partition(":") for line in lines)}


def numbers(path: Path, lines: dict[str, str], key: str, *shape: int) -> Matrix:
    """A line's numbers in this shape.

    Args:
        path: of the file, for the error.
        lines: of it.
        key: of the line.
        shape: as many numbers as it holds.

    Raises:
        ValueError: there is no such line, or it holds something else.
    """
    if key not in lines:
        raise ValueError(f"{path}: expected a line {key!r}, found none")
    try:
        values = np.array(lines[key].split(), dtype=np.float64).reshape(shape)
    except ValueError:
        values = np.full(shape, np.nan)
    if not np.isfinite(values).all():
        count, found = math.prod(shape), lines[key].strip()
        raise ValueError(f"{path}: expected {count} numbers in the line {key!r}, found {found!r}")
    return values
