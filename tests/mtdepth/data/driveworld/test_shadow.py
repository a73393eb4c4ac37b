"""Shadows fall away from the sun, are soft at their edge, and move with what moves."""

from __future__ import annotations

import numpy as np
import pytest

from mtdepth.data.driveworld.scene import Placed, Thing, place, stack
from mtdepth.data.driveworld.shadow import bake, cover, outlines, sunlight
from mtdepth.data.driveworld.solids import Array, Look, Rect, box, ellipsoid

LOOK = Look(color=(0.5, 0.5, 0.5))
SQUARE = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
HIGH_SUN = np.array([0.0, -1.0, 0.0])
SUN = np.array([-1.0, -1.0, 0.0]) / np.sqrt(2)
"""45 degrees up, to the left."""
POST = box(Rect(-0.5, 0.5, 9.5, 10.5), 0, 3, LOOK, 26)


def street(*things: Thing) -> Placed:
    return place(stack(things, np.random.default_rng(0)), 2, np.zeros(3))


def at(placed: Placed, toward_sun: Array, *points: tuple[float, float]) -> list[float]:
    x, z = np.array(points, np.float32).T
    thin = np.full(len(x), 0.1, np.float32)
    baked = bake(placed, toward_sun, 0.3)
    moving = outlines(placed, toward_sun, moving=True)
    return [float(v) for v in sunlight(baked, moving, 0.3, x, z, thin, thin)]


@pytest.mark.parametrize(
    ("x", "z", "shade"),
    [(2, 2, 1), (5, 2, 0), (2, -1, 0), (4, 2, 0.5), (4.1, 2, 0.4), (3.7, 2, 0.8)],
)
def test_an_edge_is_as_soft_as_told(x: float, z: float, shade: float) -> None:
    found = cover(SQUARE, np.float32([x]), np.float32([z]), np.float32(1))
    assert found == pytest.approx([shade], abs=1e-6)


def test_under_a_high_sun_a_box_shades_what_it_stands_on() -> None:
    (outline,) = outlines(street(Thing(parts=(POST,))), HIGH_SUN, moving=False)
    corners = {(round(float(x), 6), round(float(z), 6)) for x, z in outline}
    assert corners == {(-0.5, 9.5), (0.5, 9.5), (0.5, 10.5), (-0.5, 10.5)}
    (x, z), (next_x, next_z) = outline.T, np.roll(outline, -1, 0).T
    assert (x * next_z - next_x * z).sum() / 2 == pytest.approx(1)  # counter-clockwise


def test_a_shadow_is_as_long_as_the_sun_is_low() -> None:
    (outline,) = outlines(street(Thing(parts=(POST,))), SUN, moving=False)
    assert outline[:, 0].min() == pytest.approx(-0.5)
    assert outline[:, 0].max() == pytest.approx(0.5 + 3)
    assert (outline[:, 1].min(), outline[:, 1].max()) == pytest.approx((9.5, 10.5))


def test_a_ball_shades_an_ellipse() -> None:
    ball = ellipsoid(np.array([0.0, -5.0, 10.0]), np.array([1.0, 1.0, 2.0]), LOOK)
    (outline,) = outlines(street(Thing(parts=(ball,))), HIGH_SUN, moving=False)
    on_it = np.hypot(outline[:, 0], (outline[:, 1] - 10) / 2)
    assert on_it.max() < 1.001
    assert on_it.min() > 0.9


@pytest.mark.parametrize("velocity", [(0.0, 0.0, 0.0), (0.0, 0.0, 2.0)])
def test_sun_and_shade_on_the_ground(velocity: tuple[float, float, float]) -> None:
    """Baked or moving; two frames on, the moving one is four metres ahead."""
    placed = street(Thing(parts=(POST,), velocity=velocity))
    z = 10 + 2 * velocity[2]
    found = at(placed, SUN, (2, z), (-2, z), (2, z + 3), (2, z - 3), (6, z))
    assert found == pytest.approx([0, 1, 1, 1, 1], abs=0.02)


def test_a_moving_shadow_is_not_baked() -> None:
    placed = street(Thing(parts=(POST,), velocity=(0, 0, 2)), Thing(parts=(POST,)))
    assert len(outlines(placed, SUN, moving=False)) == 1
    assert len(outlines(placed, SUN, moving=True)) == 1


def test_what_is_flat_casts_no_shadow() -> None:
    slab = box(Rect(-5, 5, 0, 20), -1, 0.2, LOOK)
    assert outlines(street(Thing(parts=(slab,))), SUN, moving=False) == []
