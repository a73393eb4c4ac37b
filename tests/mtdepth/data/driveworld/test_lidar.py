"""The lidar measures the street that the camera sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.lidar import scan
from mtdepth.data.driveworld.scene import Placed, Thing, place, stack
from mtdepth.data.driveworld.solids import Array, Look, Rect, box
from mtdepth.data.driveworld.world import build
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.splits import read_split

WALL_M = 20.0


def wall() -> Placed:
    look = Look(color=(0.5, 0.5, 0.5))
    part = box(Rect(-90, 90, WALL_M, WALL_M + 1), -50, 50, look)
    return place(stack((Thing(parts=(part,)),), np.random.default_rng(0)), 0, np.zeros(3))


def measured(placed: Placed, width: int = 192, seed: int = 0) -> Array:
    return scan(placed, np.eye(4), width, np.random.default_rng(seed))


def test_points_lie_on_the_wall_but_for_noise() -> None:
    points = measured(wall())
    assert points.dtype == np.float32
    ahead = points[:, :3].astype(float)
    # the lidar sits 27 cm behind the camera
    assert ahead[:, 0].mean() == pytest.approx(WALL_M + 0.27, abs=0.1)
    plane, residue, *_ = np.linalg.lstsq(ahead, np.ones(len(ahead)), rcond=None)
    distance = (ahead @ plane - 1) / np.linalg.norm(plane)
    along = np.abs(ahead @ plane) / np.linalg.norm(plane) / np.linalg.norm(ahead, axis=1)
    assert (distance / along).std() == pytest.approx(0.02, rel=0.05)
    assert residue.size


def test_the_field_of_view_is_a_little_more_than_the_cameras() -> None:
    points = measured(wall())
    azimuth = np.degrees(np.arctan2(-points[:, 1], points[:, 0]))
    elevation = np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    assert (azimuth.min(), azimuth.max()) == pytest.approx((-41.5, 41.5), abs=0.5)
    assert elevation.max() == pytest.approx(2, abs=0.1)
    assert -17.5 <= elevation.min() < -16
    assert len(np.unique(elevation.round(2))) > 40


def test_a_wider_camera_gets_a_finer_scan() -> None:
    sizes = [len(measured(wall(), width)) for width in (96, 192, 640)]
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=0.02)
    assert sizes[2] > 2.4 * sizes[1]


def test_noise_follows_from_the_generator() -> None:
    first, again, other = (measured(wall(), seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_range_and_reflectance_are_limited() -> None:
    world = build(DriveworldConfig(), 0)
    placed = place(world.scene, 0, world.path.base[0])
    points = scan(placed, world.path.poses[0], 192, np.random.default_rng(0))
    ranges = np.linalg.norm(points[:, :3], axis=1)
    assert 1 < ranges.min() < ranges.max() < 80
    assert 0 <= points[:, 3].min() < points[:, 3].max() < 1
    assert len(points) > 2000


def test_points_have_the_depth_of_their_pixels(tiny_world: Path) -> None:
    reader = KittiRaw(tiny_world)
    for _, frame in read_split(tiny_world / "splits/driveworld/train_files.txt"):
        path = tiny_world / frame.drive / f"velodyne_points/data/{frame.index:010d}.bin"
        points = np.fromfile(path, "<f4").reshape(-1, 4)
        points[:, 3] = 1
        calibration, depth_m = reader.calibration(frame), reader.depth_m(frame)
        assert depth_m is not None
        seen = points @ calibration.camera_T_velodyne("02").T
        u, v, w = (seen[:, :3] @ calibration.intrinsics("02").T).T
        column, row = np.rint(u / w).astype(int), np.rint(v / w).astype(int)
        inside = (column >= 0) & (column < 192) & (row >= 0) & (row < 64)
        assert inside.mean() > 0.7
        there, z = depth_m[row[inside], column[inside]], seen[inside, 2]
        apart = np.abs(there - z) / z
        assert np.median(apart) < 0.01
        assert (apart < 0.05).mean() > 0.92  # the others are at edges
        assert abs(np.median(there - z)) < 0.05
