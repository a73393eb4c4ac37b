"""Sparse depth from lidar scans, as monodepth2's ground truth is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtdepth.config import LidarDepth
from mtdepth.data.calibration import Calibration


def depth_from_scan(
    path: Path, calibration: Calibration, camera: str, lidar_depth: LidarDepth = "velodyne"
) -> NDArray[np.float32]:
    """Projects a velodyne scan into a camera.

    Depth is the lidar's forward coordinate x, pixels are rounded and moved by one as in KITTI's
    own tools, and of several points in a pixel the nearest counts: the protocol behind all
    published numbers on the Eigen split. Points behind the lidar or the camera are left out.

    Args:
        path: a `.bin` file of float32 x, y, z, reflectance.
        calibration: of the date.
        camera: `02` or `03`.
        lidar_depth: `velodyne` for x, `camera` for the distance along the camera's axis.

    Returns:
        (H, W) metres at the image's size, 0 where no point fell.

    Raises:
        ValueError: the file doesn't hold whole points.
    """
    ahead = points_ahead(path, calibration, camera)
    width, height = calibration.image_size(camera)
    depths_m = ahead.forward_m if lidar_depth == "velodyne" else ahead.points_m[:, 2]
    column, row = np.round(ahead.places).T - 1
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    where = (row[inside].astype(np.int64), column[inside].astype(np.int64))
    depth_m = np.full((height, width), np.inf, dtype=np.float32)
    np.minimum.at(depth_m, where, depths_m[inside].astype(np.float32))
    depth_m[np.isinf(depth_m)] = 0
    return depth_m


@dataclass(frozen=True, kw_only=True)
class PointsAhead:
    """The points of a scan that lie before lidar and camera, within the image or not."""

    points_m: NDArray[np.float64]
    """(N, 3) right, down and forward, in the rectified frame of the camera."""
    places: NDArray[np.float64]
    """(N, 2) column and row in pixels, counted from 0."""
    forward_m: NDArray[np.float64]
    """(N,) the lidar's forward coordinate x."""


def points_ahead(path: Path, calibration: Calibration, camera: str) -> PointsAhead:
    """Projects the points of a velodyne scan to where a camera sees them.

    Args:
        path: a `.bin` file of float32 x, y, z, reflectance.
        calibration: of the date.
        camera: `02` or `03`.

    Raises:
        ValueError: the file doesn't hold whole points.
    """
    points = _read(path)[:, :3]
    points = points[points[:, 0] >= 0].astype(np.float64)
    camera_T_velodyne = calibration.camera_T_velodyne(camera)
    seen = points @ camera_T_velodyne[:3, :3].T + camera_T_velodyne[:3, 3]
    pixels = seen @ calibration.intrinsics(camera).T
    ahead = pixels[:, 2] > 1e-6
    return PointsAhead(
        points_m=seen[ahead],
        places=pixels[ahead, :2] / pixels[ahead, 2:],
        forward_m=points[ahead, 0],
    )


def _read(path: Path) -> NDArray[np.float32]:
    """(N, 4) x, y, z, reflectance."""
    if not path.is_file():
        raise ValueError(f"{path}: expected a lidar scan, found none")
    content = path.read_bytes()
    if not content or len(content) % 16:
        raise ValueError(
            f"{path}: expected float32 x, y, z, reflectance; found {len(content)} bytes"
        )
    points = np.frombuffer(content, dtype="<f4").reshape(-1, 4)
    if not np.isfinite(points).all():
        raise ValueError(f"{path}: expected points, found numbers that are not finite")
    return points
