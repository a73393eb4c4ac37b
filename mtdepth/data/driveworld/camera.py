"""The camera: its intrinsics, and how it drives, turns and shakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtdepth.data.driveworld.rays import Rays
from mtdepth.data.driveworld.solids import Array

HEIGHT_M = 1.65


@dataclass(frozen=True)
class Path:
    """A camera's way over N frames."""

    poses: Array
    """(N, 4, 4) world_T_cam."""
    base: Array
    """(N, 3) how far the car that carries it has come since the first frame."""
    speed_m: float
    """Mean metres a frame."""


def intrinsics(width: int, height: int) -> Array:
    """(3, 3) KITTI's focal lengths, as shares of the image; the axis through its middle."""
    return np.array(
        [
            [0.58 * width, 0.0, (width - 1) / 2],
            [0.0, 1.92 * height, (height - 1) / 2],
            [0.0, 0.0, 1.0],
        ]
    )


def camera_rays(world_T_cam: Array, width: int, height: int, per_side: int = 1) -> Rays:
    """Rays through `per_side` times as many rows and columns as pixels; 1: through the centres."""
    k = intrinsics(width, height)
    u = (np.arange(width * per_side) + 0.5) / per_side - 0.5
    v = (np.arange(height * per_side) + 0.5) / per_side - 0.5
    return Rays(
        world_T_sensor=world_T_cam,
        tan_rows=(v - k[1, 2]) / k[1, 1],
        tan_cols=(u - k[0, 2]) / k[0, 0],
    )


def drive_path(rng: np.random.Generator, num_frames: int, lane_x: float) -> Path:
    """Half a metre to 1.2 m a frame; many drives are straight, some turn; all shake a little."""
    frame = np.arange(num_frames)
    speed, wave = rng.uniform(0.55, 1.12), rng.uniform(0, 2 * np.pi, 3)
    steps = speed * (1 + 0.07 * np.sin(frame / 9 * np.pi + wave[0]))
    along = np.cumsum(steps) - steps[0]
    sway = rng.uniform(0.05, 0.3) * (np.sin(frame / 14 * np.pi + wave[1]) - np.sin(wave[1]))
    turn = np.radians(rng.uniform(2.5, 7.0) if rng.random() < 0.45 else rng.uniform(0.2, 1.5))
    yaw = turn * np.sin(2 * np.pi * frame / rng.uniform(20, 34) + wave[2])
    shake = _shake(rng, num_frames) * np.radians([0.22, 0.22, 0.06])
    base = np.stack([sway, np.zeros(num_frames), along], 1)
    poses = np.tile(np.eye(4), (num_frames, 1, 1))
    poses[:, :3, :3] = _rotations(yaw + shake[:, 2], shake[:, 0], shake[:, 1])
    poses[:, :3, 3] = base + np.array([lane_x, -HEIGHT_M, 0.0])
    poses[:, 1, 3] += 0.008 * _shake(rng, num_frames)[:, 0]
    return Path(poses, base, speed)


def _shake(rng: np.random.Generator, num_frames: int) -> Array:
    """(N, 3) smooth noise of deviation 1."""
    noise = rng.standard_normal((num_frames + 3, 3))
    weights = np.array([0.3, 0.8, 0.5, 0.15])
    smooth = sum(w * noise[i : i + num_frames] for i, w in enumerate(weights))
    return np.asarray(smooth / np.linalg.norm(weights))


def _rotations(yaw: Array, pitch: Array, roll: Array) -> Array:
    """(N, 3, 3) turns to the right, then up, then clockwise."""
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)

    def stacked(*entries: Array) -> Array:
        return np.stack(entries, 1).reshape(-1, 3, 3)

    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    around_y = stacked(cy, zero, sy, zero, one, zero, -sy, zero, cy)
    around_x = stacked(one, zero, zero, zero, cp, -sp, zero, sp, cp)
    around_z = stacked(cr, -sr, zero, sr, cr, zero, zero, zero, one)
    return around_y @ around_x @ around_z
