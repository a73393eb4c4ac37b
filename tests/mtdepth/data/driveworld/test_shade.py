"""Colours of points: each by itself, softer with distance, in the light of the day."""

from __future__ import annotations

import numpy as np
import pytest

from mtdepth.data.driveworld import shadow, texture
from mtdepth.data.driveworld.camera import camera_rays
from mtdepth.data.driveworld.cast import cast
from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.scene import Placed, place
from mtdepth.data.driveworld.shade import Shader, shader
from mtdepth.data.driveworld.solids import Array
from mtdepth.data.driveworld.world import build

Rays = tuple[Array, Array, Array, Array]
"""x, y, inverse depth and face of each."""


@pytest.fixture(scope="module", params=[0, 1])
def view(request: pytest.FixtureRequest) -> tuple[Placed, Shader, Rays]:
    """A drive's first frame, what colours it, and all of its rays."""
    world = build(DriveworldConfig(), request.param)
    textures = texture.bake(np.random.default_rng(world.texture_seed))
    placed, pose = place(world.scene, 0, world.path.base[0]), world.path.poses[0]
    sun = shadow.bake(placed, world.light.toward_sun, world.light.softness_m)
    rays = camera_rays(pose, 192, 64)
    inverse, faces = cast(placed, rays)
    x, y = np.meshgrid(rays.tan_cols.astype("f4"), rays.tan_rows.astype("f4"))
    pixel = (float(np.diff(rays.tan_cols[:2])[0]), float(np.diff(rays.tan_rows[:2])[0]))
    made = shader(placed, world.light, textures, sun, pose, pixel)
    return placed, made, (x.ravel(), y.ravel(), inverse.ravel(), faces.ravel())


def test_a_colour_does_not_depend_on_its_neighbours(view: tuple[Placed, Shader, Rays]) -> None:
    _, made, rays = view
    together = made.colors(*rays, 1.0)
    order = np.random.default_rng(0).permutation(len(rays[0]))
    assert np.array_equal(made.colors(*(r[order] for r in rays), 1.0), together[order])
    for i in order[:20]:
        alone = made.colors(*(r[i : i + 1] for r in rays), 1.0)
        assert alone[0] == pytest.approx(together[i], abs=1e-6)


def test_more_rays_than_fit_at_once_are_coloured_alike(view: tuple[Placed, Shader, Rays]) -> None:
    _, made, rays = view
    twice = made.colors(*(np.tile(r, 2) for r in rays), 1.0)
    assert np.array_equal(twice, np.tile(made.colors(*rays, 1.0), (2, 1)))


def test_a_larger_footprint_is_smoother(view: tuple[Placed, Shader, Rays]) -> None:
    _, made, rays = view
    road = np.flatnonzero((rays[3] >= 0) & made.on_ground[rays[3]])
    rays = tuple(r[road] for r in rays)  # type: ignore[assignment]
    rough, smooth = (made.colors(*rays, size).std(0).mean() for size in (0.2, 30.0))
    assert smooth < 0.9 * rough


def test_the_sky_is_bright_and_blue_or_grey(view: tuple[Placed, Shader, Rays]) -> None:
    _, made, (x, y, _, _) = view
    up = np.flatnonzero(y < -0.1)
    sky = made.colors(x[up], y[up], np.zeros(len(up), "f4"), np.full(len(up), -1), 1.0)
    red, _, blue = sky.mean(0)
    assert sky.mean() > 0.6
    assert blue >= red


def test_colours_are_colours(view: tuple[Placed, Shader, Rays]) -> None:
    _, made, rays = view
    found = made.colors(*rays, 1.0)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert np.percentile(found, 99) < 1.3  # few pixels are burnt out
    assert found.std() > 0.1


def test_sun_falls_on_what_faces_it(view: tuple[Placed, Shader, Rays]) -> None:
    placed, made, _ = view
    walls = np.flatnonzero(np.abs(placed.normals[:, 1]) < 0.01)
    toward = placed.normals[walls] @ made.light.toward_sun
    lit = made.lit[:, walls].mean(0)
    assert lit[toward > 0.3].min(initial=9) > lit[toward < 0].max()
