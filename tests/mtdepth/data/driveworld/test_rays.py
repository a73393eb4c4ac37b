"""Bounds of parts on a grid of rays hold whatever can be seen of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtdepth.data.driveworld.camera import camera_rays
from mtdepth.data.driveworld.rays import NEAR_M, Rays

CORNERS = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float64)


def lidar_rays() -> Rays:
    angles = np.radians(np.linspace(-40, 40, 161))
    return Rays(
        world_T_sensor=np.eye(4),
        tan_rows=np.tan(angles[40:-40]),
        tan_cols=np.tan(angles),
        spherical=True,
    )


@pytest.mark.parametrize("rays", [camera_rays(np.eye(4), 192, 64), lidar_rays()])
@given(
    origin=st.tuples(*[st.floats(-12, 12)] * 3),
    size=st.tuples(*[st.floats(0.01, 25)] * 3),
    seed=st.integers(0, 1000),
)
def test_points_of_a_box_lie_within_its_bounds(
    rays: Rays, origin: tuple[float, ...], size: tuple[float, ...], seed: int
) -> None:
    box = np.array(origin) + CORNERS * size
    (rect,), (least,) = rays.bounds(box[None])
    points = np.random.default_rng(seed).uniform(box[0], box[-1], (200, 3))
    points = np.concatenate([points, box])
    x, y, z = points[points[:, 2] > NEAR_M].T
    ahead = np.hypot(x, z) if rays.spherical else z
    rows, cols = (
        np.searchsorted(grid, tangent)
        for grid, tangent in ((rays.tan_rows, y / ahead), (rays.tan_cols, x / z))
    )
    assert ((rect[0] <= rows) & (rows <= rect[1])).all()
    assert ((rect[2] <= cols) & (cols <= rect[3])).all()
    assert (ahead >= least - 1e-9).all()
    if not len(z) and box[:, 2].max() < NEAR_M:
        assert rect[0] >= rect[1] or rect[2] >= rect[3]


def test_a_grid_of_directions_is_made_of_its_parts() -> None:
    for rays in (camera_rays(np.eye(4), 192, 64), lidar_rays()):
        right, down, ahead = rays.components()
        assert np.allclose(right / ahead, rays.tan_cols)
        assert np.allclose(down[:, 0], rays.tan_rows)
        assert np.allclose(np.hypot(right, ahead) if rays.spherical else ahead, 1)


def test_the_origin_is_where_the_sensor_is() -> None:
    pose = np.eye(4)
    pose[:3, 3] = 1, 2, 3
    rays = camera_rays(pose, 64, 32)
    assert rays.origin.tolist() == [1, 2, 3]
