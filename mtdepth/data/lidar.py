"""Sparse depth from lidar scans, as monodepth2's ground truth is made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtdepth.data.calibration import Calibration


def depth_from_scan(path: Path, calibration: Calibration, camera: str) -> NDArray[np.float32]:
    """Projects a velodyne scan into a camera.

    Depth is the lidar's forward coordinate x, pixels are rounded and moved by one as in KITTI's
    own tools, and of several points in a pixel the nearest counts: the protocol behind all
    published numbers on the Eigen split.

    Args:
        path: a `.bin` file of float32 x, y, z, reflectance.
        calibration: of the date.
        camera: `02` or `03`.

    Returns:
        (H, W) metres at the image's size, 0 where no point fell.

    Raises:
        ValueError: the file doesn't hold whole points.
    """
    values = np.fromfile(path, dtype=np.float32)
    if values.size == 0 or values.size % 4:
        raise ValueError(
            f"{path}: expected float32 x, y, z, reflectance; found {values.size} values"
        )
    points = values.reshape(-1, 4)[:, :3]
    points = points[points[:, 0] >= 0].astype(np.float64)
    width, height = calibration.image_size(camera)
    camera_T_velodyne = calibration.camera_T_velodyne(camera)
    seen = points @ camera_T_velodyne[:3, :3].T + camera_T_velodyne[:3, 3]
    pixels = seen @ calibration.intrinsics(camera).T
    ahead = pixels[:, 2] > 1e-6
    pixels, forward_m = pixels[ahead], points[ahead, 0]
    column, row = (np.round(pixels[:, :2] / pixels[:, 2:]) - 1).astype(np.int64).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    depth_m = np.full((height, width), np.inf, dtype=np.float32)
    np.minimum.at(depth_m, (row[inside], column[inside]), forward_m[inside].astype(np.float32))
    depth_m[np.isinf(depth_m)] = 0
    return depth_m
