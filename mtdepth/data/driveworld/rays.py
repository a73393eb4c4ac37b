"""Grids of rays that share an origin: the camera's pixels, and the lidar's beams.

Both are `tan_row` up-down by `tan_col` left-right. A ray's direction in the sensor's axes (x right,
y down, z forward) is a vector of its column plus a vector of its row, so a dot product with all
directions of a grid is one vector plus another, and no ray is ever stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtdepth.data.driveworld.solids import Array

NEAR_M = 0.05
FAR = 1e9
PAIRS = np.array([(i, j) for i in range(8) for j in range(i)])


@dataclass(frozen=True, kw_only=True)
class Rays:
    """R x C rays; points on them are `origin + t * (row + col)`.

    For a pinhole, t is depth; for a spherical sensor, it is the horizontal range.
    """

    world_T_sensor: Array
    tan_rows: Array
    tan_cols: Array
    spherical: bool = False

    @property
    def origin(self) -> Array:
        """(3,) in the world."""
        return np.asarray(self.world_T_sensor[:3, 3])

    def components(self) -> tuple[Array, Array, Array]:
        """float32 parts of directions: right (C,), down (R, 1) and ahead (C,), in sensor axes."""
        stretch = np.hypot(1, self.tan_cols) if self.spherical else np.ones_like(self.tan_cols)
        right, down, ahead = self.tan_cols / stretch, self.tan_rows[:, None], 1 / stretch
        return right.astype(np.float32), down.astype(np.float32), ahead.astype(np.float32)

    def bounds(self, corners: Array) -> tuple[Array, Array]:
        """Rectangles (P, 4) of rows and columns [r0, r1, c0, c1) that hold convex parts.

        `corners` is (P, 8, 3) in the world. Also returns (P,) the least t at which each begins.
        """
        rotation = self.world_T_sensor[:3, :3]
        points = np.einsum("pcj,jk->pck", corners - self.origin, rotation)
        points, ahead = _clip_near(points)
        z = np.where(ahead, points[..., 2], 1.0)
        x0, x1 = _extremes(points[..., 0] / z, ahead)
        y0, y1 = _extremes(points[..., 1] / z, ahead)
        if self.spherical:
            shrink = 1 / np.hypot(1, np.maximum(np.abs(x0), np.abs(x1)))
            y0, y1 = np.minimum(y0, y0 * shrink), np.maximum(y1, y1 * shrink)
        rects = np.stack(
            [
                np.searchsorted(self.tan_rows, y0 - 1e-5),
                np.searchsorted(self.tan_rows, y1 + 1e-5),
                np.searchsorted(self.tan_cols, x0 - 1e-5),
                np.searchsorted(self.tan_cols, x1 + 1e-5),
            ],
            axis=1,
        )
        return rects, np.where(ahead, points[..., 2], np.inf).min(1)


def _clip_near(points: Array) -> tuple[Array, Array]:
    """Add where the segments between corners cross the near plane; say which are in front."""
    ahead = points[..., 2] >= NEAR_M
    crossing = ahead.any(1) & ~ahead.all(1)
    num_parts = len(points)
    extra = np.zeros((num_parts, len(PAIRS), 3))
    found = np.zeros((num_parts, len(PAIRS)), bool)
    some = points[crossing]
    start, end = some[:, PAIRS[:, 0]], some[:, PAIRS[:, 1]]
    rise = end[..., 2] - start[..., 2]
    cuts = (start[..., 2] < NEAR_M) != (end[..., 2] < NEAR_M)
    share = (NEAR_M - start[..., 2]) / np.where(cuts, rise, 1.0)
    extra[crossing] = start + share[..., None] * (end - start)
    found[crossing] = cuts
    return np.concatenate([points, extra], 1), np.concatenate([ahead, found], 1)


def _extremes(values: Array, valid: Array) -> tuple[Array, Array]:
    """Least and greatest valid value of each row; an empty interval where none is valid."""
    least = np.where(valid, values, FAR).min(1)
    return least, np.where(valid, values, -FAR).max(1)
