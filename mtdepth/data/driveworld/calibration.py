"""How camera, lidar and inertial unit sit on the car, and the calibration files that say so.

KITTI's chain: `P_rect_02 @ R_rect_00 @ velo_to_cam @ imu_to_velo` takes points to the image.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtdepth.data.driveworld.camera import intrinsics
from mtdepth.data.driveworld.solids import Array

CALIB_TIME = "01-Jan-2026 00:00:00"
AXES = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""From forward, left, up to right, down, forward."""
CAM2_X_M, CAM3_X_M = 0.06, -0.48
"""What to add to x in rectified camera 0 for x in cameras 2 and 3."""


def _turn(x: float, y: float, z: float) -> Array:
    """A rotation by small angles (rad)."""
    generator = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = float(np.linalg.norm([x, y, z]))
    squared = generator @ generator
    sine = np.sin(angle) / angle
    return np.asarray(np.eye(3) + sine * generator + (1 - np.cos(angle)) / angle**2 * squared)


def _rigid(rotation: Array, translation: tuple[float, float, float]) -> Array:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, translation
    return matrix


RECT_T_CAM0 = _rigid(_turn(0.004, -0.007, 0.009), (0.0, 0.0, 0.0))
CAM0_T_VELO = _rigid(_turn(-0.006, 0.008, 0.003) @ AXES, (-0.004, -0.076, -0.272))
VELO_T_IMU = _rigid(_turn(0.010, 0.002, -0.001), (-0.81, 0.32, -0.80))
CAM2_T_VELO = _rigid(np.eye(3), (CAM2_X_M, 0.0, 0.0)) @ RECT_T_CAM0 @ CAM0_T_VELO
CAM2_T_IMU = CAM2_T_VELO @ VELO_T_IMU


def write(folder: Path, width: int, height: int) -> None:
    """Write KITTI's three calibration files into `folder`."""
    for name, lines in _files(width, height).items():
        text = "".join(f"{key}: {_numbers(values)}\n" for key, values in lines)
        (folder / name).write_text(f"calib_time: {CALIB_TIME}\n{text}", encoding="ascii")


def _files(width: int, height: int) -> dict[str, list[tuple[str, Array]]]:
    k, size = intrinsics(width, height), np.array([width, height], np.float64)
    cameras: list[tuple[str, Array]] = [("corner_dist", np.array([0.0995]))]
    for number, shift in enumerate((0.0, CAM3_X_M - CAM2_X_M, CAM2_X_M, CAM3_X_M)):
        projection = k @ np.array([[1, 0, 0, shift], [0, 1, 0, 0], [0, 0, 1, 0]])
        cameras += [
            (f"S_0{number}", size),
            (f"K_0{number}", k),
            (f"D_0{number}", np.zeros(5)),
            (f"R_0{number}", np.eye(3)),
            (f"T_0{number}", np.array([shift, 0, 0])),
            (f"S_rect_0{number}", size),
            (f"R_rect_0{number}", RECT_T_CAM0[:3, :3]),
            (f"P_rect_0{number}", projection),
        ]
    none = [("delta_f", np.zeros(2)), ("delta_c", np.zeros(2))]
    return {
        "calib_cam_to_cam.txt": cameras,
        "calib_velo_to_cam.txt": [*_pose(CAM0_T_VELO), *none],
        "calib_imu_to_velo.txt": _pose(VELO_T_IMU),
    }


def _pose(matrix: Array) -> list[tuple[str, Array]]:
    return [("R", matrix[:3, :3]), ("T", matrix[:3, 3])]


def _numbers(values: Array) -> str:
    return " ".join(f"{value:.12e}" for value in values.ravel())
