"""oxts records and calibration files say the same of the camera's way as its exact poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtdepth.data.calibration import Calibration
from mtdepth.data.driveworld import calibration as car
from mtdepth.data.driveworld.camera import drive_path, intrinsics
from mtdepth.data.driveworld.oxts import records
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.oxts import world_T_cam
from mtdepth.data.splits import Frame

DRIVES = [f"2026_01_01/2026_01_01_drive_{i:04d}_sync" for i in range(6)]


@pytest.mark.parametrize("name", DRIVES)
def test_oxts_give_the_exact_poses(tiny_world: Path, name: str) -> None:
    reader, oxts = KittiRaw(tiny_world), tiny_world / name / "oxts"
    calibration = reader.calibration(Frame(name, 0))
    first = np.linalg.inv(world_T_cam(oxts, 0, calibration, "02"))
    exact_first = np.eye(4)
    for index in range(5):
        exact = reader.world_T_cam(Frame(name, index))
        assert exact is not None
        if index == 0:
            exact_first = np.linalg.inv(exact)
        found = first @ world_T_cam(oxts, index, calibration, "02")
        assert found == pytest.approx(exact_first @ exact, abs=1e-5)


def test_calibration_files_say_how_the_car_is_built(tmp_path: Path) -> None:
    car.write(tmp_path, 640, 192)
    found = Calibration(tmp_path)
    assert found.image_size("02") == found.image_size("03") == (640, 192)
    assert found.intrinsics("02") == pytest.approx(intrinsics(640, 192))
    assert found.camera_T_velodyne("02") == pytest.approx(car.CAM2_T_VELO)
    assert found.camera_T_imu("02") == pytest.approx(car.CAM2_T_IMU)
    apart = found.camera_T_velodyne("03") - found.camera_T_velodyne("02")
    assert apart[:3, 3] == pytest.approx([-0.54, 0, 0])  # KITTI's baseline


def test_a_car_is_built_as_kittis() -> None:
    for transform in (car.CAM2_T_VELO, car.CAM2_T_IMU):
        assert transform[:3, :3] @ transform[:3, :3].T == pytest.approx(np.eye(3), abs=1e-12)
        assert transform[:3, :3] @ [1, 0, 0] == pytest.approx([0, 0, 1], abs=0.03)
        assert transform[:3, :3] @ [0, 0, 1] == pytest.approx([0, -1, 0], abs=0.03)
        assert np.linalg.norm(transform[:3, 3]) < 1.5


@pytest.mark.parametrize("fps", [10.0, 25.0])
def test_a_record_tells_speed_and_turns(fps: float) -> None:
    poses = drive_path(np.random.default_rng(3), 12, 1.6).poses
    found = records(poses, fps)
    assert found.shape == (12, 30)
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    forward, left, up = found[:, 8:11].T
    assert forward[1:-1] == pytest.approx((steps[1:] + steps[:-1]) / 2 * fps, rel=0.03)
    assert np.abs(left).max() < 0.15 * forward.min()
    assert np.abs(up).max() < 0.1 * forward.min()
    north, east = found[:, 6:8].T
    assert np.hypot(north, east) == pytest.approx(np.hypot(forward, left))
    heading = np.unwrap(found[:, 5])
    assert found[:-1, 22] == pytest.approx(np.diff(heading) * fps, abs=0.02)


def test_a_car_that_stands_feels_gravity_alone() -> None:
    found = records(np.tile(np.eye(4), (5, 1, 1)), 10)
    assert np.linalg.norm(found[:, 11:14], axis=1) == pytest.approx(9.81)
    assert found[:, 13] == pytest.approx(9.81, abs=0.01)
    assert found[:, 6:11] == pytest.approx(0, abs=1e-6)
    assert found[:, 17:23] == pytest.approx(0, abs=1e-9)
    assert np.ptp(found, axis=0) == pytest.approx(0, abs=1e-9)
