"""Files of camera poses, a line a frame, as KITTI's odometry benchmark has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def read_poses(path: Path) -> NDArray[np.float64] | None:
    """(N, 4, 4) `world_T_cam` by frame; None where there is no such file.

    Raises:
        ValueError: a line has not the twelve numbers of a 3x4 matrix.
    """
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    try:
        top = np.array([line.split() for line in lines], np.float64).reshape(len(lines), 3, 4)
    except ValueError:
        top = np.full((1, 3, 4), np.nan)
    if not (len(top) and np.isfinite(top).all()):
        raise ValueError(f"{path}: expected twelve numbers in every line")
    bottom = np.broadcast_to([0.0, 0.0, 0.0, 1.0], (len(top), 1, 4))
    return np.concatenate([top, bottom], axis=1)
