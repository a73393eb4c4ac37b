"""A 64-beam lidar that scans the same street as the camera sees."""

from __future__ import annotations

import numpy as np

from mtdepth.data.driveworld.calibration import AXES, CAM2_T_VELO
from mtdepth.data.driveworld.cast import cast
from mtdepth.data.driveworld.rays import Rays
from mtdepth.data.driveworld.scene import Placed
from mtdepth.data.driveworld.solids import Array

NUM_BEAMS = 64
LOWEST_DEG, HIGHEST_DEG = -24.8, 2.0
HALF_VIEW_DEG, DOWN_VIEW_DEG = 41.5, 17.5
FINEST_STEP_DEG = 0.17
MAX_RANGE_M = 80.0
NOISE_M = 0.02


def scan(placed: Placed, world_T_cam: Array, width: int, rng: np.random.Generator) -> Array:
    """(N, 4) float32 x forward, y left, z up (m) and reflectance in [0, 1], as KITTI's.

    Only a little more is scanned than a camera of `width` pixels sees, and about as finely.
    """
    rays = _rays(world_T_cam, width)
    inverse, faces = cast(placed, rays)
    row, col = np.nonzero(inverse > 0)
    rise, azimuth = rays.tan_rows[row], np.arctan(rays.tan_cols[col])
    direction = np.stack([np.cos(azimuth), -np.sin(azimuth), -rise], 1)
    stretch = np.hypot(1, rise)
    measured = stretch / inverse[row, col] + NOISE_M * rng.standard_normal(len(row))
    points = direction * (measured / stretch)[:, None]
    color = placed.scene.looks.color[faces[row, col]].mean(1)
    reflectance = np.clip(color * rng.uniform(0.4, 0.8, len(row)), 0, 0.99)
    within = (measured > 1) & (measured < MAX_RANGE_M)
    return np.concatenate([points, reflectance[:, None]], 1)[within].astype(np.float32)


def _rays(world_T_cam: Array, width: int) -> Rays:
    step = max(FINEST_STEP_DEG, 2 * HALF_VIEW_DEG / width)
    azimuth = np.radians(np.arange(-HALF_VIEW_DEG, HALF_VIEW_DEG, step))
    elevation = np.radians(np.linspace(HIGHEST_DEG, LOWEST_DEG, NUM_BEAMS))
    elevation = elevation[elevation > -np.radians(DOWN_VIEW_DEG)]
    velo_T_sensor = np.eye(4)
    velo_T_sensor[:3, :3] = AXES.T
    return Rays(
        world_T_sensor=world_T_cam @ CAM2_T_VELO @ velo_T_sensor,
        tan_rows=-np.tan(elevation),
        tan_cols=np.tan(azimuth),
        spherical=True,
    )
