"""Poses from GPS: by hand, on the real drive, and from broken records."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from mtdepth.config import DataConfig
from mtdepth.data.calibration import Calibration
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.oxts import speed_mps, time_s, world_T_cam, world_T_imu
from mtdepth.data.splits import Frame
from tests.mtdepth.data.calibrated import write_calibration

DRIVE = "2011_09_26/2011_09_26_drive_0002_sync"
METRES_A_DEGREE = np.pi / 180 * 6378137


def record(path: Path, *values: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(" ".join(map(repr, (*values, *[0.0] * (30 - len(values))))))
    return path


def test_east_north_up(tmp_path: Path) -> None:
    start = world_T_imu(record(tmp_path / "a", 60, 8, 100), 60)
    moved = world_T_imu(record(tmp_path / "b", 60 + 1e-5, 8 + 1e-5, 103), 60)
    assert start[:3, :3] == pytest.approx(np.eye(3))
    assert (moved - start)[:3, 3] == pytest.approx(
        [METRES_A_DEGREE * 1e-5 / 2, METRES_A_DEGREE * 1e-5, 3], rel=1e-5
    )


@pytest.mark.parametrize(
    ("roll", "pitch", "yaw", "forward", "left"),
    [
        (0, 0, np.pi / 2, (0, 1, 0), (-1, 0, 0)),
        (0, np.pi / 2, 0, (0, 0, -1), (0, 1, 0)),
        (np.pi / 2, 0, 0, (1, 0, 0), (0, 0, 1)),
        (np.pi / 2, 0, np.pi / 2, (0, 1, 0), (0, 0, 1)),
        (0, np.pi / 2, np.pi / 2, (0, 0, -1), (-1, 0, 0)),
    ],
)
def test_roll_pitch_yaw(
    tmp_path: Path,
    roll: float,
    pitch: float,
    yaw: float,
    forward: tuple[float, ...],
    left: tuple[float, ...],
) -> None:
    pose = world_T_imu(record(tmp_path / "a", 0, 0, 0, roll, pitch, yaw), 0)
    assert pose[:3, 0] == pytest.approx(forward, abs=1e-12)
    assert pose[:3, 1] == pytest.approx(left, abs=1e-12)


def test_the_scale_is_that_of_the_drives_first_record(tmp_path: Path) -> None:
    calibration = Calibration(write_calibration(tmp_path))
    for index, latitude in ((3, 60.0), (4, 30.0)):
        record(tmp_path / f"oxts/data/{index:010d}.txt", latitude, 1)
    for index in (3, 4):
        x = world_T_cam(tmp_path / "oxts", index, calibration, "02")[0, 3]
        assert x == pytest.approx(METRES_A_DEGREE / 2)


def test_a_camera_looks_along_the_units_forward_axis(tmp_path: Path) -> None:
    calibration = Calibration(write_calibration(tmp_path, imu_T="-0.8 0.3 -0.7"))
    record(tmp_path / "oxts/data/0000000000.txt", 0, 0, 0)
    pose = world_T_cam(tmp_path / "oxts", 0, calibration, "02")
    assert pose[:3] @ [0, 0, 5, 1] == pytest.approx([5.8, -0.3, 0.7], abs=1e-6)


@pytest.mark.parametrize("side", ["l", "r"])
def test_the_real_car_drives_forward(kitti: DataConfig, side: Literal["l", "r"]) -> None:
    assert kitti.root
    reader = KittiRaw(kitti.root)
    poses = [reader.world_T_cam(Frame(DRIVE, i, side)) for i in range(10)]
    for before, after in pairwise(poses):
        assert before is not None
        assert after is not None
        motion = np.linalg.inv(before) @ after
        x, y, z = motion[:3, 3]
        assert 0.8 < z < 1.05  # its own speedometer says 8.6 m/s, at ten frames a second
        assert abs(x) < 0.03
        assert abs(y) < 0.03
        assert motion[:3, :3] == pytest.approx(np.eye(3), abs=0.01)


BROKEN = [b"", b"49.0 8.4 115", b"49 8 x 0 0 0", b"nan " * 30, b"\xff\xfe\x00" * 9]


@pytest.mark.parametrize(("index", "content"), [(1, None), *product((0, 1), BROKEN)])
def test_a_broken_record_is_named(tmp_path: Path, index: int, content: bytes | None) -> None:
    """Its own, or the first of the drive."""
    calibration = Calibration(write_calibration(tmp_path))
    for number in range(2):
        record(tmp_path / f"oxts/data/{number:010d}.txt", 49, 8.4)
    path = tmp_path / f"oxts/data/{index:010d}.txt"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        world_T_cam(tmp_path / "oxts", 1, calibration, "02")
    assert str(caught.value) == f"{path}: expected at least six numbers of an oxts record"


def test_the_cars_own_speed(tmp_path: Path) -> None:
    record(tmp_path / "data/0000000004.txt", 49, 8, 115, 0, 0, 0, 70, 70, 2, -3, 6)
    assert speed_mps(tmp_path, 4) == pytest.approx(7)
    assert speed_mps(tmp_path, 5) is None


@pytest.mark.parametrize(
    "content", [b"", b"1 " * 10, b"1 " * 8 + b"x 1 1", b"nan " * 30, b"\xff\xfe\x00" * 9]
)
def test_a_record_may_not_tell_the_speed(tmp_path: Path, content: bytes) -> None:
    path = record(tmp_path / "data/0000000000.txt")
    path.write_bytes(content)
    assert speed_mps(tmp_path, 0) is None


def test_when_a_frame_was_taken(tmp_path: Path) -> None:
    (tmp_path / "timestamps.txt").write_text(
        "2011-09-26 23:59:59.950000000\n2011-09-27 00:00:00.050123456\n"
    )
    assert time_s(tmp_path, 1) - time_s(tmp_path, 0) == pytest.approx(0.100123, abs=1e-6)


def test_without_timestamps_frames_come_at_10_hz(tmp_path: Path) -> None:
    assert time_s(tmp_path, 7) - time_s(tmp_path, 4) == pytest.approx(0.3)


@pytest.mark.parametrize("line", ["", "noon", "2011-09-26 25:00:00"])
def test_a_broken_time_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "timestamps.txt"
    path.write_text(f"2011-09-26 13:02:44.335092332\n{line}\n")
    expected = f"{path}:2: expected a time such as 2011-09-26 13:02:44.335092332, found {line!r}"
    with pytest.raises(ValueError) as caught:
        time_s(tmp_path, 1)
    assert str(caught.value) == expected
    with pytest.raises(ValueError, match=r"timestamps.txt:4: expected a time .*, found ''"):
        time_s(tmp_path, 3)


def test_real_times_poses_and_speeds_fit_together(kitti: DataConfig) -> None:
    assert kitti.root
    reader, oxts = KittiRaw(kitti.root), kitti.root / DRIVE / "oxts"
    for index in range(7):
        before, after = (reader.world_T_cam(Frame(DRIVE, i)) for i in (index, index + 3))
        assert before is not None
        assert after is not None
        seconds = time_s(oxts, index + 3) - time_s(oxts, index)
        driven_mps = np.linalg.norm((after - before)[:3, 3]) / seconds
        assert driven_mps == pytest.approx(speed_mps(oxts, index + 1), rel=0.05)
