"""What rays hit, against the textbook's intersection of one ray with one part."""

from __future__ import annotations

import numpy as np
import pytest

from mtdepth.data.driveworld.camera import camera_rays
from mtdepth.data.driveworld.cast import cast
from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.rays import Rays
from mtdepth.data.driveworld.scene import Placed, Thing, place, stack
from mtdepth.data.driveworld.solids import Array, Look, Rect, box, ellipsoid
from mtdepth.data.driveworld.world import build

LOOK = Look(color=(0.5, 0.5, 0.5))


def directions(rays: Rays) -> Array:
    """(R, C, 3) float64 in the world, as long as the rays' own parameter has it."""
    right, down = np.meshgrid(rays.tan_cols, rays.tan_rows)
    ahead = np.ones_like(right)
    if rays.spherical:
        length = np.hypot(1, right)
        right, ahead = right / length, ahead / length
    return np.stack([right, down, ahead], -1) @ rays.world_T_sensor[:3, :3].T


def nearest(placed: Placed, rays: Rays) -> Array:
    """(R, C) parameter of the first hit, infinite for none."""
    way, scene = directions(rays), placed.scene
    found = np.full(way.shape[:2], np.inf)
    for part, first in enumerate(scene.first_face[:-1]):
        if scene.radii[part, 0] > 0:
            turn = placed.rotations[scene.part_thing[part]] / scene.radii[part]
            o = (rays.origin - placed.corners[part].mean(0)) @ turn
            d = way @ turn
            a, b, c = (d * d).sum(-1), d @ o, o @ o - 1
            with np.errstate(invalid="ignore"):
                enter = (-b - np.sqrt(b * b - a * c)) / a
            leave = np.inf
        else:
            faces = slice(first, scene.first_face[part + 1])
            rate = way @ placed.normals[faces].T
            gap = placed.heights[faces] - placed.normals[faces] @ rays.origin
            with np.errstate(divide="ignore", invalid="ignore"):
                t = gap / rate
            enter = np.where(rate < 0, t, -np.inf).max(-1)
            leave = np.where(rate > 0, t, np.inf).min(-1)
            leave = np.where(((rate == 0) & (gap < 0)).any(-1), -np.inf, leave)
        hit = (enter > 0) & (enter < leave) & (enter < found)
        found[hit] = enter[hit]
    return found


def lidar_rays(world_T_sensor: Array) -> Rays:
    return Rays(
        world_T_sensor=world_T_sensor,
        tan_rows=np.tan(np.radians(np.linspace(-3, 24, 30))),
        tan_cols=np.tan(np.radians(np.linspace(-41, 41, 60))),
        spherical=True,
    )


@pytest.mark.parametrize("kind", ["camera", "lidar"])
@pytest.mark.parametrize("drive", [0, 1, 2])
def test_a_whole_street_is_hit_where_the_textbook_says(drive: int, kind: str) -> None:
    world = build(DriveworldConfig(), drive)
    placed, pose = place(world.scene, 5, world.path.base[5]), world.path.poses[5]
    rays = camera_rays(pose, 96, 32) if kind == "camera" else lidar_rays(pose)
    inverse, faces = cast(placed, rays)
    expected = nearest(placed, rays)
    assert np.array_equal(inverse > 0, faces >= 0)
    agree = np.isclose(inverse, 1 / expected, rtol=1e-4, atol=1e-6)
    assert agree.mean() > 0.998  # a ray along an edge may fall on either side
    assert (inverse > 0).mean() > 0.5


def street(*things: Thing) -> Placed:
    return place(stack(things, np.random.default_rng(0)), 0, np.zeros(3))


def test_a_wall_is_everywhere_as_deep() -> None:
    wall = Thing(parts=(box(Rect(-99, 99, 8, 9), -50, 50, LOOK),))
    inverse, _ = cast(street(wall), camera_rays(np.eye(4), 64, 32))
    assert inverse == pytest.approx(1 / 8)
    ranges, _ = cast(street(wall), lidar_rays(np.eye(4)))
    azimuth = np.radians(np.linspace(-41, 41, 60))
    assert 1 / ranges == pytest.approx(np.tile(8 / np.cos(azimuth), (30, 1)), rel=1e-5)


def test_what_is_nearer_hides_what_is_behind() -> None:
    near = Thing(parts=(box(Rect(-1, 1, 4, 5), -1, 1, LOOK),))
    far = Thing(parts=(box(Rect(-9, 9, 8, 9), -9, 9, LOOK),))
    for order in ((near, far), (far, near)):
        placed = street(*order)
        inverse, faces = cast(placed, camera_rays(np.eye(4), 65, 33))
        assert inverse[16, 32] == pytest.approx(1 / 4)
        assert order[placed.scene.face_thing[faces[16, 32]]] is near
        assert inverse[0, 0] == pytest.approx(1 / 8)


def test_a_ball_begins_a_radius_before_its_middle() -> None:
    ball = Thing(
        parts=(ellipsoid(np.zeros(3), np.array([1.0, 2.0, 3.0]), LOOK),), position=(0, 0, 9)
    )
    inverse, faces = cast(street(ball), camera_rays(np.eye(4), 65, 33))
    assert inverse[16, 32] == pytest.approx(1 / 6)
    assert inverse.argmax() == 16 * 65 + 32
    assert faces[0, 0] == -1


@pytest.mark.parametrize("z", [(-9.0, -8.0), (-1.0, 1.0)])
def test_what_lies_behind_or_around_the_camera_is_not_seen(z: tuple[float, float]) -> None:
    inverse, faces = cast(
        street(Thing(parts=(box(Rect(-2, 2, *z), -2, 2, LOOK),))), camera_rays(np.eye(4), 64, 32)
    )
    assert not inverse.any()
    assert (faces == -1).all()


def test_what_passes_the_camera_is_cut_at_it() -> None:
    """A wall from behind the camera to far ahead, half a metre to the right."""
    wall = street(Thing(parts=(box(Rect(0.5, 0.7, -20, 500), -50, 50, LOOK),)))
    rays = camera_rays(np.eye(4), 65, 33)
    inverse, _ = cast(wall, rays)
    to_the_right = rays.tan_cols[40:]
    assert inverse[:, 40:] == pytest.approx(np.tile(to_the_right / 0.5, (33, 1)), rel=1e-4)
    assert not inverse[:, :32].any()
