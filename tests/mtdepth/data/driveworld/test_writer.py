"""A world's files: KITTI raw's layout, with what was rendered in them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtdepth.data.driveworld import render_drive
from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.render import Frame
from mtdepth.data.driveworld.writer import write_common, write_drive
from tests.conftest import TINY_WORLD

DATE = "2026_01_01"


def drive(index: int) -> str:
    return f"{DATE}/{DATE}_drive_{index:04d}_sync"


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return list(render_drive(TINY_WORLD, 0))


def test_each_frame_has_its_files(tiny_world: Path) -> None:
    files = {str(p.relative_to(tiny_world)) for p in tiny_world.rglob("*") if p.is_file()}
    names = [f"{i:010d}" for i in range(5)]
    expected = {"driveworld.json"}
    expected |= {f"{DATE}/calib_{x}.txt" for x in ("cam_to_cam", "velo_to_cam", "imu_to_velo")}
    expected |= {f"splits/driveworld/{x}_files.txt" for x in ("train", "val", "test")}
    for index in range(6):
        folder = drive(index)
        for kind in ("image_02", "instance_02", "motion_02"):
            expected |= {f"{folder}/{kind}/data/{name}.png" for name in names}
        expected |= {f"{folder}/proj_depth/groundtruth/image_02/{name}.png" for name in names}
        expected |= {f"{folder}/velodyne_points/data/{name}.bin" for name in names}
        expected |= {f"{folder}/oxts/data/{name}.txt" for name in names}
        expected |= {f"{folder}/{x}" for x in ("poses_02.txt", "oxts/timestamps.txt")}
        expected.add(f"{folder}/image_02/timestamps.txt")
    assert files == expected


def test_splits_list_the_middle_of_every_triplet(tiny_world: Path) -> None:
    lists = {
        split: (tiny_world / f"splits/driveworld/{split}_files.txt").read_text().splitlines()
        for split in ("train", "val", "test")
    }
    for split, drives in {"train": (0, 1, 2), "val": (3, 4), "test": (5,)}.items():
        assert lists[split] == [f"{drive(d)} {i} l" for d in drives for i in (1, 2, 3)]


def test_what_is_written_is_what_was_rendered(tiny_world: Path, frames: list[Frame]) -> None:
    root = tiny_world / drive(0)
    poses = np.loadtxt(root / "poses_02.txt").reshape(-1, 3, 4)
    for frame in frames:
        name = f"{frame.index:010d}"
        for folder, expected in (
            ("image_02/data", frame.image),
            ("instance_02/data", frame.instances),
            ("motion_02/data", frame.motion),
        ):
            assert np.array_equal(np.asarray(Image.open(root / folder / f"{name}.png")), expected)
        depth = np.asarray(Image.open(root / f"proj_depth/groundtruth/image_02/{name}.png"))
        assert depth.dtype == np.uint16
        near = frame.depth_m < 255
        assert depth[near] / 256 == pytest.approx(frame.depth_m[near], abs=1 / 512)
        assert not depth[~near & (frame.depth_m > 256)].any()
        first_T_cam = np.linalg.inv(frames[0].world_T_cam) @ frame.world_T_cam
        assert poses[frame.index] == pytest.approx(first_T_cam[:3], abs=1e-12)


def test_frames_are_a_tenth_of_a_second_apart(tiny_world: Path) -> None:
    for folder in ("oxts", "image_02"):
        lines = (tiny_world / drive(0) / folder / "timestamps.txt").read_text().splitlines()
        times = [datetime.fromisoformat(line[:26]) for line in lines]
        assert np.diff([t.timestamp() for t in times]) == pytest.approx([0.1] * 4, abs=1e-5)


def test_an_oxts_record_has_kittis_thirty_fields(tiny_world: Path) -> None:
    for path in (tiny_world / drive(0) / "oxts/data").iterdir():
        fields = path.read_text().split()
        assert len(fields) == 30
        assert [float(x) for x in fields[:2]] == pytest.approx([49, 8.4], abs=1e-3)
        assert fields[25:] == ["4", "9", "6", "6", "0"]


def test_lidar_may_be_left_out(tmp_path: Path) -> None:
    config = DriveworldConfig(
        num_train_drives=1, num_val_drives=0, num_test_drives=0, num_frames=3, width=64, height=32,
        lidar=False,
    )  # fmt: skip
    write_common(tmp_path, config)
    write_drive(tmp_path, config, 0)
    assert not list(tmp_path.rglob("*.bin"))
    assert not list(tmp_path.rglob("velodyne*"))
    assert len(list(tmp_path.rglob("*.png"))) == 4 * 3
    assert (tmp_path / "splits/driveworld/val_files.txt").read_text() == ""
