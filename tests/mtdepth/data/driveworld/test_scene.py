"""Things stacked into arrays: their instance numbers, and where they are at a frame."""

from __future__ import annotations

import numpy as np
import pytest

from mtdepth.data.driveworld import vehicles
from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.scene import Scene, Thing, place, stack
from mtdepth.data.driveworld.solids import Look, Rect, box
from mtdepth.data.driveworld.world import build

GREY = Look(color=(0.5, 0.5, 0.5))
CUBE = box(Rect(-1, 1, -1, 1), 0, 2, GREY, 26)


def scene(*things: Thing) -> Scene:
    return stack(things, np.random.default_rng(0))


def test_instances_are_numbered_for_each_label() -> None:
    rng = np.random.default_rng(0)
    house = Thing(parts=(box(Rect(-9, 9, 5, 9), 0, 9, GREY),))
    car, person = Thing(parts=vehicles.car(rng)), Thing(parts=vehicles.person(rng))
    cyclist = Thing(parts=vehicles.cyclist(rng), velocity=(0, 0, 0.5))
    found = scene(house, car, cyclist, car, person, person)
    of_thing = [set(found.instance[found.face_thing == k].tolist()) for k in range(6)]
    assert of_thing == [{0}, {26000}, {25000, 33000}, {26001}, {24000}, {24001}]


@pytest.mark.parametrize(
    ("thing", "motion"),
    [
        (Thing(parts=(CUBE,)), 1),
        (Thing(parts=(CUBE,), velocity=(0, 0, -0.1)), 2),
        (Thing(parts=(CUBE,), follows_camera=True), 3),
        (Thing(parts=(box(Rect(0, 1, 0, 1), 0, 1, GREY),)), 0),
    ],
)
def test_motion_is_told_of_instances_alone(thing: Thing, motion: int) -> None:
    assert set(scene(thing).motion.tolist()) == {motion}


def test_things_move_with_the_frame_or_with_the_camera() -> None:
    found = scene(
        Thing(parts=(CUBE,), position=(1, 0, 10)),
        Thing(parts=(CUBE,), position=(2, 0, 10), velocity=(0, 0, -0.5)),
        Thing(parts=(CUBE,), position=(3, 0, 10), follows_camera=True),
    )
    placed = place(found, 4, np.array([0.1, 0, 3]))
    assert placed.positions == pytest.approx(np.array([[1, 0, 10], [2, 0, 8], [3.1, 0, 13]]))
    middles = placed.corners.mean(1)
    assert middles - placed.positions == pytest.approx(np.tile([0, -1, 0], (3, 1)))


def test_yaw_turns_to_the_right() -> None:
    ahead = box(Rect(0, 0.1, 5, 5.1), 0, 0.1, GREY)
    placed = place(scene(Thing(parts=(ahead,), yaw=np.pi / 2)), 0, np.zeros(3))
    assert placed.corners.mean((0, 1))[[0, 2]] == pytest.approx([5.05, -0.05])


@pytest.mark.parametrize("drive", range(3))
def test_planes_hold_the_corners_that_they_are_made_of(drive: int) -> None:
    """Whatever was turned and moved: a part lies behind its faces, and each face touches it."""
    config = DriveworldConfig()
    world = build(config, drive)
    placed = place(world.scene, 7, world.path.base[7])
    part_of = np.repeat(np.arange(len(placed.corners)), np.diff(world.scene.first_face))
    flat = ~world.scene.is_round
    outside = np.einsum("fi,fci->fc", placed.normals, placed.corners[part_of])
    outside = (outside - placed.heights[:, None])[flat]
    wheels = np.bincount(part_of)[part_of][flat] > 6
    assert outside[~wheels].max() < 1e-9
    assert np.sort(outside[~wheels])[:, -3:] == pytest.approx(0, abs=1e-9)
    assert outside[wheels].max(1).min() > -1e-9  # their corners are those of a box around them
    assert np.linalg.norm(placed.normals[flat], axis=1) == pytest.approx(1)
