"""Which instances move: cars of known speed, a street whose truth is known, and the real drive."""

from __future__ import annotations

import pickle
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mtdepth.config import DataConfig
from mtdepth.data.driveworld import DriveworldConfig, ensure
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.motion import (
    COMOVING,
    MOVING,
    STATIC,
    UNKNOWN,
    classify,
    motion_map,
    work_out,
)
from mtdepth.data.sighting import Sighting
from mtdepth.data.splits import Frame

FRAME = Frame("2026_01_01/2026_01_01_drive_0000_sync", 5)
REAL = "2011_09_26/2011_09_26_drive_0002_sync"
CAR, PERSON = 26000, 24000
HZ = 10
Vector = tuple[float, float]


def corner(num: int = 40) -> NDArray[np.float64]:
    """Points on the back and a side of a car: right, down, forward."""
    steps, zeros = np.linspace(0, 1, num), np.zeros(num)
    back = np.stack([1.8 * steps, zeros, zeros], 1)
    side = np.stack([zeros, zeros, 4 * steps], 1)
    return np.concatenate([back, side])


def street(
    *velocities_mps: Vector,
    camera_mps: Vector = (0, 10),
    shape: NDArray[np.float64] | None = None,
    apart_m: float = 20,
    yaw_a_frame: float = 0.0,
    told_mps: float | None = None,
    label: int = CAR,
    frames: range = range(11),
) -> dict[Frame, Sighting]:
    """Instances in a row across the street, each with a velocity to the right and forward.

    Their numbers change from frame to frame; the lidar errs by 2 cm.
    """
    rng, shape = np.random.default_rng(0), corner() if shape is None else shape
    seen = {}
    for index in frames:
        time_s = (index - FRAME.index) / HZ
        cos, sin = np.cos(yaw_a_frame * index), np.sin(yaw_a_frame * index)
        world_T_cam = np.eye(4)
        world_T_cam[:3, :3] = [[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]
        world_T_cam[[0, 2], 3] = np.array(camera_mps) * time_s
        clouds = {}
        for place, (right, ahead) in enumerate(velocities_mps):
            middle = [right * time_s + apart_m * place, 0, 15 + ahead * time_s]
            noisy = shape + middle + 0.02 * rng.standard_normal(shape.shape)
            cloud = (noisy - world_T_cam[:3, 3]) @ world_T_cam[:3, :3]
            clouds[number_of(place, index, label)] = cloud
        seen[FRAME.shifted(index - FRAME.index)] = Sighting(
            clouds_m=clouds, world_T_cam=world_T_cam, time_s=100 + time_s, speed_mps=told_mps
        )
    return seen


def number_of(place: int, index: int = FRAME.index, label: int = CAR) -> int:
    return label + (place + index) % 7


def told(seen: dict[Frame, Sighting], num: int = 1, label: int = CAR) -> list[int]:
    """What is found of the instances of a street."""
    found = work_out(FRAME, seen.get)
    return [found.get(number_of(place, label=label), UNKNOWN) for place in range(num)]


SPEEDS: list[tuple[Vector, int]] = [
    ((0, 0), STATIC),
    ((0, 10), COMOVING),
    ((0, 9), COMOVING),
    ((0.8, 10.8), COMOVING),
    ((0, 6), MOVING),
    ((0, 15), MOVING),
    ((0, -9), MOVING),
    ((0, -20), MOVING),
    ((1.6, 0), MOVING),
    ((10, 0), MOVING),
    ((0, 0.75), UNKNOWN),
]


@pytest.mark.parametrize(("velocity_mps", "expected"), SPEEDS)
@pytest.mark.parametrize("yaw_a_frame", [0, 0.03])
def test_a_car_of_known_speed(velocity_mps: Vector, expected: int, yaw_a_frame: float) -> None:
    assert told(street(velocity_mps, yaw_a_frame=yaw_a_frame)) == [expected]


def test_a_street_of_them() -> None:
    assert told(street(*(v for v, _ in SPEEDS[:6]), apart_m=40), 6) == [e for _, e in SPEEDS[:6]]


@pytest.mark.parametrize("seed", range(3))
def test_where_the_world_has_its_origin_does_not_matter(seed: int) -> None:
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    other_T_world = np.eye(4)
    other_T_world[:3, :3], other_T_world[:3, 3] = turn, [1e5, -2e5, 100]
    for velocity_mps, expected in SPEEDS[:5]:
        moved = {
            frame: replace(x, world_T_cam=other_T_world @ x.world_T_cam)
            for frame, x in street(velocity_mps).items()
        }
        assert told(moved) == [expected]


def test_time_reversed_the_same_move() -> None:
    for velocity_mps, expected in SPEEDS:
        forward = street(velocity_mps)
        backward = {
            frame: forward[frame.shifted(2 * (FRAME.index - frame.index))] for frame in forward
        }
        now = next(iter(backward[FRAME].clouds_m))
        assert work_out(FRAME, backward.get).get(now, UNKNOWN) == expected


@pytest.mark.parametrize(
    ("camera_mps", "expected"), [(0, UNKNOWN), (2.3, UNKNOWN), (2.7, STATIC), (30, STATIC)]
)
def test_a_camera_that_hardly_moves_tells_nothing(camera_mps: float, expected: int) -> None:
    assert told(street((0, 0), camera_mps=(0, camera_mps))) == [expected]


@pytest.mark.parametrize(
    ("told_mps", "expected"),
    [(None, STATIC), (8.1, STATIC), (11.9, STATIC), (7.9, UNKNOWN), (12.1, UNKNOWN)],
)
def test_poses_must_agree_with_the_cars_own_speed(told_mps: float | None, expected: int) -> None:
    # the camera drives 10 m/s; a fifth more or less is allowed
    assert told(street((0, 0), told_mps=told_mps)) == [expected]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (range(2, 9), COMOVING),
        (range(3, 8), COMOVING),
        (range(4, 9), UNKNOWN),  # one frame back
        (range(2, 7), UNKNOWN),  # one frame ahead
        (range(5, 9), UNKNOWN),
        (range(6, 9), UNKNOWN),
        (range(5, 6), UNKNOWN),
        (range(0), UNKNOWN),
    ],
)
def test_it_takes_two_frames_before_and_after(frames: range, expected: int) -> None:
    assert told(street((0, 10), frames=frames)) == [expected]


@pytest.mark.parametrize("index", [3, 4, 6, 7])
def test_a_gap_cannot_be_followed_over(index: int) -> None:
    seen = street((0, 10))
    del seen[FRAME.shifted(index - FRAME.index)]
    assert told(seen) == [UNKNOWN]


@pytest.mark.parametrize("index", [3, 4, 6, 7])
def test_nor_a_frame_in_which_it_is_not_seen(index: int) -> None:
    seen, frame = street((0, 10), (0, 0)), FRAME.shifted(index - FRAME.index)
    kept = {number_of(1, index): seen[frame].clouds_m[number_of(1, index)]}
    seen[frame] = replace(seen[frame], clouds_m=kept)
    assert told(seen, 2) == [UNKNOWN, STATIC]


def test_what_brakes_hard_is_neither_one_nor_the_other() -> None:
    before, after = street((0, 10), frames=range(6)), street((0, 0), frames=range(6, 11))
    assert told(before | after) == [UNKNOWN]


@pytest.mark.parametrize(("apart_m", "expected"), [(0.35, UNKNOWN), (3.0, MOVING)])
def test_a_crowd_is_left_out(apart_m: float, expected: int) -> None:
    angles = np.linspace(0, np.pi, 30)
    person = np.stack([0.25 * np.cos(angles), 0 * angles, -0.25 * np.sin(angles)], 1)
    seen = street((2, 0), (2, 0), (2, 0), shape=person, apart_m=apart_m, label=PERSON)
    assert told(seen, 3, PERSON) == [expected] * 3


def test_a_bare_wall_is_left_out() -> None:
    """Along it, of which a camera that passes sees another piece each time, any shift fits."""
    seen = {}
    for frame, x in street((0, 0), frames=range(11)).items():
        ahead_m = np.arange(5, 35, 0.1)
        wall = np.stack([3 + 0 * ahead_m, 0 * ahead_m, ahead_m], 1)
        seen[frame] = replace(x, clouds_m=dict.fromkeys(x.clouds_m, wall))
    assert told(seen) == [UNKNOWN]


def test_a_fit_that_is_worse_does_not_count() -> None:
    """A train's wheels, a metre apart and not quite: from rest, each is laid on one before it."""
    wheels_m = np.arange(10) + np.array([0, 2, -1, 1, -2, 2, 0, -2, 1, -1]) / 10
    ahead_m = np.repeat(wheels_m, 8)
    train = np.stack([0 * ahead_m, 0 * ahead_m, ahead_m], 1)
    assert told(street((0, 10), shape=train)) == [COMOVING]


@pytest.mark.parametrize("seed", range(5))
def test_points_that_fit_nowhere_are_left_out(seed: int) -> None:
    rng, seen = np.random.default_rng(seed), {}
    for frame, x in street((0, 0)).items():
        middle = np.median(next(iter(x.clouds_m.values())), axis=0)
        cloud = rng.uniform(-5, 5, (15, 3))
        cloud += middle - np.median(cloud, axis=0)
        seen[frame] = replace(x, clouds_m=dict.fromkeys(x.clouds_m, cloud))
    assert told(seen) == [UNKNOWN]


def test_two_frames_of_one_time_tell_nothing() -> None:
    seen = {frame: replace(x, time_s=0.0) for frame, x in street((0, 10)).items()}
    assert told(seen) == [UNKNOWN]


@pytest.mark.parametrize(
    ("velocity_mps", "expected"),
    [
        ((0, 0.49), STATIC),
        ((0.3, -0.3), STATIC),  # 0.42 m/s
        ((0.4, 0.4), UNKNOWN),  # 0.57 m/s
        ((0, -0.99), UNKNOWN),
        ((-1.01, 0), MOVING),
        ((0, 8.01), COMOVING),  # of 10 m/s, 8 to 12
        ((0, 7.99), MOVING),
        ((0, 11.99), COMOVING),
        ((0, 12.01), MOVING),
        ((1.4, 11.4), COMOVING),  # 1.98 m/s
        ((1.5, 11.5), MOVING),  # 2.12 m/s
        ((0, -10), MOVING),
    ],
)
def test_speeds_by_hand(velocity_mps: Vector, expected: int) -> None:
    assert classify(np.array(velocity_mps), np.array([0.0, 10.0])) == expected


def test_a_map_of_motions() -> None:
    instances = np.array([[0, CAR, CAR + 1], [PERSON, CAR, 0]], np.int32)
    found = motion_map(instances, {CAR: COMOVING, PERSON: MOVING, CAR + 5: STATIC})
    assert found.dtype == np.uint8
    assert found.tolist() == [[0, 3, 0], [2, 3, 0]]
    assert motion_map(instances, {}).tolist() == [[0, 0, 0], [0, 0, 0]]


@pytest.fixture(scope="module")
def long_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drives long enough to look ahead and back, without their maps of motion."""
    world = DriveworldConfig(
        num_train_drives=4,
        num_val_drives=0,
        num_test_drives=0,
        num_frames=9,
        width=448,
        height=128,
        supersampling=1,
    )
    return ensure(world, tmp_path_factory.mktemp("motion") / "world", workers=1)


def copied(world: Path, root: Path, *without: str) -> str:
    """Copies one drive of a world, and its calibration."""
    drive = FRAME.drive
    shutil.copytree(world / drive, root / drive, ignore=shutil.ignore_patterns(*without))
    for path in world.glob("2026_01_01/*.txt"):
        shutil.copy(path, root / "2026_01_01")
    return drive


Noise = Callable[[NDArray[np.int32]], NDArray[np.int32]]


def widened(instances: NDArray[np.int32]) -> NDArray[np.int32]:
    """Masks that bleed a pixel in every direction, as predicted ones do."""
    shifts = product((-1, 0, 1), repeat=2)
    return np.max([np.roll(instances, shift, (0, 1)) for shift in shifts], axis=0)


@pytest.mark.parametrize("noise", [lambda instances: instances, widened])
def test_what_is_told_of_a_street_is_true(
    long_world: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, truth = KittiRaw(long_world), KittiRaw(long_world)
    read = truth.instances
    monkeypatch.setattr(reader, "instances", lambda frame: noise(read(frame)))
    found: Counter[tuple[int, int]] = Counter()
    for drive, index in product(range(4), range(2, 7)):
        frame = Frame(f"2026_01_01/2026_01_01_drive_{drive:04d}_sync", index)
        instances, motion = truth.instances(frame), truth.motion(frame)
        assert instances is not None
        assert motion is not None
        for number, told in work_out(frame, reader.sighting).items():
            if (instances == number).any():
                found[int(motion[instances == number][0]), told] += 1
    right = sum(count for (true, told), count in found.items() if true == told)
    assert right > 40
    assert right / found.total() > 0.95
    assert {told for _, told in found} == {STATIC, MOVING, COMOVING}
    assert found[STATIC, COMOVING] == found[COMOVING, STATIC] == 0


def test_the_real_cyclists_move(kitti: DataConfig) -> None:
    """Two of them, at some 4.5 and 6 m/s, and a camera at 9 m/s."""
    assert kitti.root
    reader = KittiRaw(kitti.root)
    num_told = 0
    for index in range(10):
        found = work_out(Frame(REAL, index), reader.sighting)
        assert set(found.values()) <= {MOVING}
        assert {number // 1000 for number in found} <= {24, 33}
        num_told += len(found)
        assert bool(found) is (2 <= index <= 7)
    assert num_told >= 20


def test_a_map_is_read_before_anything_is_worked_out(
    long_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = copied(long_world, tmp_path)
    frame = Frame(drive, 4)
    read = KittiRaw(tmp_path).motion(frame)
    assert read is not None
    shutil.rmtree(tmp_path / drive / "motion_02")
    reader = KittiRaw(tmp_path)
    looked: list[Frame] = []
    look = reader.sighting
    monkeypatch.setattr(reader, "sighting", lambda frame: looked.append(frame) or look(frame))
    assert reader.has_motion(frame)
    num_looked = len(looked)
    found = reader.motion(frame)
    assert found is not None
    assert len(looked) == num_looked == len(set(looked)) == 7
    assert (found.shape, found.dtype) == (read.shape, np.uint8)
    assert set(np.unique(found).tolist()) - {0}
    assert ((found == read) | (found == 0)).all()
    travelled = pickle.loads(pickle.dumps(KittiRaw(tmp_path)))
    assert np.array_equal(travelled.motion(frame), found)
    assert not reader.has_motion(Frame(drive, 0))
    assert reader.motion(Frame(drive, 0)) is None


def test_a_broken_neighbour_is_named(long_world: Path, tmp_path: Path) -> None:
    drive = copied(long_world, tmp_path, "motion_02")
    scan = tmp_path / drive / "velodyne_points/data/0000000005.bin"
    scan.write_bytes(scan.read_bytes()[:-3])
    with pytest.raises(ValueError, match=r"0000000005\.bin: expected float32 x, y, z, reflectance"):
        KittiRaw(tmp_path).motion(Frame(drive, 4))


@pytest.mark.parametrize("gone", ["instance_02", "velodyne_points", "poses"])
def test_without_what_it_takes_there_is_none(long_world: Path, tmp_path: Path, gone: str) -> None:
    names = ("poses_02.txt", "oxts") if gone == "poses" else (gone,)
    drive = copied(long_world, tmp_path, "motion_02", *names)
    reader = KittiRaw(tmp_path)
    assert not reader.has_motion(Frame(drive, 4))
    assert reader.motion(Frame(drive, 4)) is None


def test_instance_maps_of_another_size_are_none_of_the_image(
    long_world: Path, tmp_path: Path
) -> None:
    drive = copied(long_world, tmp_path, "motion_02")
    assert KittiRaw(tmp_path).has_motion(Frame(drive, 4))
    for path in (tmp_path / drive / "instance_02/data").iterdir():
        values = np.asarray(Image.open(path))
        Image.fromarray(np.pad(values, ((0, 8), (0, 8)))).save(path)
    reader = KittiRaw(tmp_path)
    assert not reader.has_motion(Frame(drive, 4))
    assert reader.motion(Frame(drive, 4)) is None
