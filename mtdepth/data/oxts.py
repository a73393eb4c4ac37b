"""Camera poses from KITTI's GPS and inertial records."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtdepth.data.calibration import Calibration

EARTH_RADIUS_M = 6378137.0
NOMINAL_HZ = 10.0
Matrix = NDArray[np.float64]


def world_T_imu(path: Path, origin_latitude_deg: float) -> Matrix:
    """Pose (4, 4) of the inertial unit in a Mercator projection, as in KITTI's development kit.

    Args:
        path: a record of 30 numbers: latitude, longitude, altitude, roll, pitch, yaw, ...
        origin_latitude_deg: latitude that fixes the scale of the whole drive.

    Raises:
        ValueError: the file is no such record.
    """
    latitude, longitude, altitude, roll, pitch, yaw = _record(path)
    scale = np.cos(np.radians(origin_latitude_deg))
    pose = np.eye(4)
    pose[:3, :3] = _about("z", yaw) @ _about("y", pitch) @ _about("x", roll)
    pose[0, 3] = scale * EARTH_RADIUS_M * np.radians(longitude)
    pose[1, 3] = scale * EARTH_RADIUS_M * np.log(np.tan(np.radians(90 + latitude) / 2))
    pose[2, 3] = altitude
    return pose


def world_T_cam(directory: Path, index: int, calibration: Calibration, camera: str) -> Matrix:
    """Pose (4, 4) of a camera at one frame of a drive, whose `oxts` folder is given."""
    path = directory / "data" / f"{index:010d}.txt"
    first = min(path.parent.glob("*.txt"), default=path)
    imu_T_cam = np.linalg.inv(calibration.camera_T_imu(camera))
    return world_T_imu(path, _record(first)[0]) @ imu_T_cam


def speed_mps(directory: Path, index: int) -> float | None:
    """How fast the car is at one frame of a drive, whose `oxts` folder is given.

    From `vf`, `vl` and `vu`, its velocity forward, to the left and up (KITTI's `dataformat.txt`);
    None where there is no record that tells it.
    """
    path = directory / "data" / f"{index:010d}.txt"
    if not path.is_file():
        return None
    try:
        velocity_mps = [float(x) for x in path.read_text(encoding="utf-8").split()[8:11]]
    except ValueError:
        return None
    told = len(velocity_mps) == 3 and np.isfinite(velocity_mps).all()
    return float(np.linalg.norm(velocity_mps)) if told else None


def time_s(directory: Path, index: int) -> float:
    """When a frame was taken, in seconds, from the `timestamps.txt` of an `oxts` folder.

    Without that file, frames are 0.1 s apart: KITTI's lidar turns at 10 Hz, and triggers the
    cameras (Geiger et al. 2013).

    Raises:
        ValueError: the file doesn't tell it.
    """
    path = directory / "timestamps.txt"
    lines = _lines(path)
    if lines is None:
        return index / NOMINAL_HZ
    found = lines[index] if index < len(lines) else ""
    try:
        return datetime.fromisoformat(found).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ValueError(
            f"{path}:{index + 1}: expected a time such as 2011-09-26 13:02:44.335092332, found "
            f"{found!r}"
        ) from None


@lru_cache(maxsize=1024)
def _lines(path: Path) -> list[str] | None:
    if not path.is_file():
        return None
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def _record(path: Path) -> list[float]:
    """Latitude, longitude, altitude, roll, pitch and yaw."""
    try:
        values = [float(x) for x in path.read_text(encoding="utf-8").split()[:6]]
    except (OSError, ValueError):
        values = []
    if len(values) < 6 or not np.isfinite(values).all():
        raise ValueError(f"{path}: expected at least six numbers of an oxts record")
    return values


def _about(axis: str, angle: float) -> Matrix:
    c, s = np.cos(angle), np.sin(angle)
    return np.array(
        {
            "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
            "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
            "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
        }[axis]
    )
