"""The street of a drive: fixed by seed, split and number, and with the situations under study."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from mtdepth.data.driveworld.camera import camera_rays
from mtdepth.data.driveworld.cast import cast
from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.scene import COMOVING, MOVING, STATIC, place
from mtdepth.data.driveworld.world import SPLITS, World, build, split_of

CONFIG = DriveworldConfig()
DRIVES = [(split, number) for number in range(4) for split in SPLITS]


@cache
def world(split: str, number: int) -> World:
    first = {"train": 0, "val": 40, "test": 48}[split]
    assert split_of(CONFIG, first + number) == (split, number)
    return build(CONFIG, first + number)


def seen(there: World, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Motion and inverse depth of each pixel."""
    placed = place(there.scene, frame, there.path.base[frame])
    inverse, faces = cast(placed, camera_rays(there.path.poses[frame], 192, 64))
    return np.where(faces >= 0, there.scene.motion[faces], 0), inverse


def same(one: World, other: World) -> bool:
    fields = ("corners", "normals", "instance", "motion")
    scenes = [[getattr(x.scene, name) for name in fields] for x in (one, other)]
    drives = [
        [x.path.poses, x.light.sun, x.texture_seed, x.scene.looks.color] for x in (one, other)
    ]
    return all(map(np.array_equal, *scenes)) and all(map(np.array_equal, *drives))


def test_drives_are_dealt_to_splits_in_order() -> None:
    config = DriveworldConfig(num_train_drives=3, num_val_drives=0, num_test_drives=2)
    dealt = [split_of(config, index) for index in range(5)]
    assert dealt == [("train", 0), ("train", 1), ("train", 2), ("test", 0), ("test", 1)]
    for index in (-1, 5):
        with pytest.raises(ValueError, match=rf"drive index in \[0, 5\), found {index}"):
            split_of(config, index)


def test_a_drive_is_the_same_street_whatever_the_number_of_drives() -> None:
    fewer = DriveworldConfig(num_train_drives=2, num_val_drives=1)
    assert same(build(fewer, 2), world("val", 0))


def test_every_drive_is_another_street() -> None:
    reseeded = [build(DriveworldConfig(seed=1), 0)]
    worlds = [*(world(*drive) for drive in DRIVES), *reseeded]
    assert same(world("train", 0), build(CONFIG, 0))
    assert len({str(x.path.poses[-1]) for x in worlds}) == len(worlds)
    assert len({x.texture_seed for x in worlds}) == len(worlds)


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_shows_static_moving_and_comoving_instances(split: str) -> None:
    drives = [seen(world(split, number), 0)[0] for number in range(4)]
    shown = np.array([[(motion == kind).sum() for kind in range(4)] for motion in drives])
    assert (shown.sum(0) > 300).all()
    assert (shown[:, COMOVING] > 100).sum() >= 1


@pytest.mark.parametrize(("split", "number"), DRIVES)
def test_what_co_moves_stays_where_the_camera_sees_it(split: str, number: int) -> None:
    there = world(split, number)
    things, path = there.scene.things, there.path
    places = np.stack([place(there.scene, i, path.base[i]).positions for i in range(12)])
    travelled = np.ptp(path.poses[:, 2, 3])
    assert travelled > 11 * 0.5
    for index, thing in enumerate(things):
        positions = places[:, index]
        if thing.motion == COMOVING:
            apart = positions - path.poses[:, :3, 3]
            assert np.ptp(apart[:, [0, 2]], axis=0) == pytest.approx(0, abs=1e-9)
            assert np.ptp(apart[:, 1]) < 0.06  # the camera bounces a little
        elif thing.motion == STATIC:
            assert not np.ptp(positions, axis=0).any()
        else:
            steps = np.diff(positions, axis=0)
            assert steps == pytest.approx(np.tile(thing.velocity, (11, 1)), abs=1e-9)
            assert np.abs(thing.velocity).sum() > 0.05
            assert np.ptp((positions - path.poses[:, :3, 3])[:, 2]) > 0.3


@pytest.mark.parametrize(("split", "number"), DRIVES)
def test_a_comoving_car_keeps_its_size_in_the_picture(split: str, number: int) -> None:
    first, last = (seen(world(split, number), i)[0] == COMOVING for i in (0, 11))
    assert last.sum() == pytest.approx(first.sum(), rel=0.15)
    others = [(seen(world(split, number), i)[0] == MOVING).sum() for i in (0, 11)]
    assert others[0] != others[1] or not any(others)


@pytest.mark.parametrize(("split", "number"), DRIVES)
def test_the_camera_drives_into_nothing(split: str, number: int) -> None:
    for frame in (0, 6, 11):
        _, inverse = seen(world(split, number), frame)
        assert 1 / inverse.max() > 1
        assert (inverse > 0).mean() > 0.5
