"""What is said of a data set before anything is trained on it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from mtdepth.config import DataConfig, EvaluationConfig
from mtdepth.data.check import check_data
from mtdepth.data.driveworld import DriveworldConfig
from mtdepth.data.missing import WHERE
from mtdepth.data.root import data_root
from tests.conftest import TINY_WORLD

DRIVE = "2026_01_01/2026_01_01_drive_{:04d}_sync"
TRAIN, VAL, TEST = DRIVE.format(0), DRIVE.format(3), DRIVE.format(5)
LISTS = "splits/driveworld"


@pytest.fixture
def copy(tiny_world: Path, tmp_path: Path) -> Path:
    """The tiny world, to be broken."""
    shutil.copytree(tiny_world, tmp_path / "copy")
    return tmp_path / "copy"


def told(root: Path | None, split: str = "driveworld") -> DataConfig:
    return DataConfig(name="kitti", root=root, split=split)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def append(path: Path, line: str) -> None:
    path.write_text(path.read_text() + line + "\n")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_whole_world_passes(tiny_data: DataConfig) -> None:
    found = check_data(tiny_data)
    assert {split: summary.num_samples for split, summary in found.items()} == {
        "train": 9,
        "val": 6,
        "test": 3,
    }
    assert all(all(asdict(summary.truth).values()) for summary in found.values())


def test_the_real_sample_passes(kitti: DataConfig) -> None:
    found = check_data(kitti)
    assert [found[split].num_samples for split in ("train", "val", "test")] == [219, 42, 10]
    assert found["train"].truth.missing() == ["depth", "motion", "poses"]
    assert found["test"].truth.missing() == []  # motion is worked out


DAMAGE: list[tuple[Callable[[Path], object], str]] = [
    (lambda r: halve(r / TRAIN / "image_02/data/0000000001.png"),
     rf"{TRAIN}/image_02/data/0000000001.png: expected a whole png or jpg image"),
    (lambda r: halve(r / VAL / "image_02/data/0000000000.png"),
     rf"{VAL}/image_02/data/0000000000.png: expected a whole png or jpg image"),
    (lambda r: (r / TEST / "image_02/data/0000000002.png").write_bytes(b""),
     rf"{TEST}/image_02/data/0000000002.png: expected a whole png or jpg image"),
    (lambda r: append(r / LISTS / "train_files.txt", "2026_01_01_drive_0000_sync 1 l"),
     rf"{LISTS}/train_files.txt:10: expected '<date>/<drive folder> <frame> <l\|r>' or '<seq"),
    (lambda r: (r / LISTS / "val_files.txt").unlink(),
     r"data.split: expected val_files.txt in .*/splits/driveworld"),
    (lambda r: (r / LISTS / "val_files.txt").write_text(""),
     rf"{LISTS}/val_files.txt: expected at least one frame, found none"),
    (lambda r: (r / "2026_01_01/calib_cam_to_cam.txt").unlink(),
     r"2026_01_01/calib_cam_to_cam.txt: expected KITTI's calibration file, found none"),
    (lambda r: replace(r / "2026_01_01/calib_cam_to_cam.txt", "P_rect_02: ", "P_rect_02: x"),
     r"2026_01_01/calib_cam_to_cam.txt: expected 12 numbers in the line 'P_rect_02', found 'x"),
    (lambda r: replace(r / "2026_01_01/calib_cam_to_cam.txt", "S_rect_02: ", "S_rect_02: x"),
     r"2026_01_01/calib_cam_to_cam.txt: expected 2 numbers in the line 'S_rect_02', found 'x"),
    (lambda r: append(r / DRIVE.format(1) / "poses_02.txt", "1 2 3"),
     rf"{DRIVE.format(1)}/poses_02.txt: expected twelve numbers in every line"),
    (lambda r: halve(r / VAL / "proj_depth/groundtruth/image_02/0000000001.png"),
     rf"{VAL}/proj_depth/groundtruth/image_02/0000000001.png: expected a whole grey PNG"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_damage_ends_with_one_line_that_names_the_place(
    copy: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(copy)
    with pytest.raises(ValueError) as caught:
        check_data(told(copy))
    assert re.search(message, str(caught.value)), caught.value
    assert str(copy) in str(caught.value)
    assert "\n" not in str(caught.value)


MISSING: list[tuple[Callable[[Path], object], str, str, str]] = [
    (lambda r: (r / TRAIN / "image_02/data/0000000002.png").unlink(), "train_files.txt:1",
     "all 9 triplets of the train split in {root}, found 3 incomplete, in 1 of 3 drives",
     f"{TRAIN}: 3 of 3 triplets incomplete (1 without image, 2 without neighbour), first missing: "
     f"{TRAIN}/image_02/data/0000000002.png"),
    (lambda r: (r / VAL / "image_02/data/0000000004.png").unlink(), "val_files.txt:3",
     "all 6 triplets of the val split in {root}, found 1 incomplete, in 1 of 2 drives",
     f"{VAL}: 1 of 3 triplets incomplete (1 without neighbour), first missing: "
     f"{VAL}/image_02/data/0000000004.png"),
    (lambda r: (r / TEST / "image_02/data/0000000003.png").unlink(), "test_files.txt:3",
     "all 3 frames of the test split in {root}, found 1 incomplete, in 1 of 1 drives",
     f"{TEST}: 1 of 3 frames incomplete (1 without image), first missing: "
     f"{TEST}/image_02/data/0000000003.png"),
    (lambda r: append(r / LISTS / "val_files.txt", f"{VAL} 77 l"), "val_files.txt:7",
     "all 7 triplets of the val split in {root}, found 1 incomplete, in 1 of 2 drives",
     f"{VAL}: 1 of 4 triplets incomplete (1 without image), first missing: "
     f"{VAL}/image_02/data/0000000077.png"),
    (lambda r: append(r / LISTS / "test_files.txt", f"{TEST} 1 r"), "test_files.txt:4",
     "all 4 frames of the test split in {root}, found 1 incomplete, in 1 of 1 drives",
     f"{TEST}: 1 of 4 frames incomplete (1 without folder), first missing: {TEST}/image_03"),
    (lambda r: append(r / LISTS / "train_files.txt", "9 1 l"), "train_files.txt:10",
     "all 10 triplets of the train split in {root}, found 1 incomplete, in 1 of 4 drives",
     "sequences/09: 1 of 1 triplets incomplete (1 without folder), first missing: sequences"),
]  # fmt: skip
TO_DO = (
    "KITTI's page 'Raw Data' has the drives (synced+rectified data), and monodepth2's "
    "splits/kitti_archives_to_download.txt the names of their archives; python -m "
    "mtdepth.data.prepare kitti makes a pack of what is there"
)


@pytest.mark.parametrize(("damage", "place", "found", "line"), MISSING)
def test_missing_images_end_with_a_line_for_their_drive(
    copy: Path, damage: Callable[[Path], object], place: str, found: str, line: str
) -> None:
    damage(copy)
    with pytest.raises(ValueError) as caught:
        check_data(told(copy))
    assert str(caught.value).split("\n") == [
        f"{copy / LISTS / place}: expected the images of {found.format(root=copy)}:",
        f"  {line};",
        TO_DO,
    ]


@pytest.mark.parametrize(
    ("num_drives", "told_of", "last"), [(5, 5, TO_DO), (9, 5, "  and 4 more drives;")]
)
def test_missing_drives_are_a_line_each_and_few_lines_in_all(
    copy: Path, num_drives: int, told_of: int, last: str
) -> None:
    drives = [DRIVE.format(100 + i) for i in range(num_drives)]
    for drive in reversed(drives):
        for index in range(1, 40):
            append(copy / LISTS / "train_files.txt", f"{drive} {index} l")
    with pytest.raises(ValueError) as caught:
        check_data(told(copy))
    lines = str(caught.value).split("\n")
    assert lines[0].startswith(str(copy / LISTS / "train_files.txt:10"))
    assert f"found {39 * num_drives} incomplete, in {num_drives} of {num_drives + 3}" in lines[0]
    assert lines[1 : told_of + 1] == [
        f"  {x}: 39 of 39 triplets incomplete (39 without folder), first missing: {x};"
        for x in drives[:told_of]
    ]
    assert lines[told_of + 1] == last
    assert lines[-1] == TO_DO


def test_each_date_has_a_calibration(copy: Path) -> None:
    later = TRAIN.replace("2026_01_01", "2026_01_02")
    shutil.copytree(copy / TRAIN, copy / later)
    append(copy / LISTS / "train_files.txt", f"{later} 1 l")
    with pytest.raises(ValueError, match=r"2026_01_02/calib_cam_to_cam.txt: expected KITTI's"):
        check_data(told(copy))


def test_lidar_needs_its_own_calibration(copy: Path) -> None:
    for folder in copy.glob("*/*/proj_depth"):
        shutil.rmtree(folder)
    (copy / "2026_01_01/calib_velo_to_cam.txt").unlink()
    with pytest.raises(ValueError, match=r"calib_velo_to_cam.txt: expected KITTI's calibration"):
        check_data(told(copy))


@pytest.mark.parametrize(
    ("gone", "missing"),
    [
        (("instance_02",), ["instances"]),
        (("motion_02", "velodyne_points"), ["motion"]),
        (("motion_02", "instance_02"), ["motion", "instances"]),
        (("motion_02",), []),
        (("proj_depth",), []),
        (("proj_depth", "velodyne_points"), ["depth"]),
        (("poses_02.txt",), []),
        (("poses_02.txt", "oxts"), ["poses"]),
    ],
)
def test_truth_that_is_not_there_is_told(
    copy: Path, gone: tuple[str, ...], missing: list[str]
) -> None:
    for name in gone:
        for path in copy.glob(f"*/*_sync/{name}"):
            path.unlink() if path.is_file() else shutil.rmtree(path)
    assert check_data(told(copy))["val"].truth.missing() == missing


@pytest.mark.parametrize(
    ("gone", "missing"), [("velodyne_points", ["depth"]), ("proj_depth", []), ("nothing", [])]
)
def test_who_asks_for_lidar_is_promised_no_depth_of_maps(
    copy: Path, gone: str, missing: list[str]
) -> None:
    for path in copy.glob(f"*/*_sync/{gone}"):
        shutil.rmtree(path)
    found = check_data(told(copy), evaluation=EvaluationConfig(truth="lidar"))
    assert found["test"].truth.missing() == missing
    assert check_data(told(copy))["test"].truth.missing() == []


def test_depth_that_no_one_asks_for_may_be_broken(copy: Path) -> None:
    halve(copy / TEST / "proj_depth/groundtruth/image_02/0000000001.png")
    check_data(told(copy), evaluation=EvaluationConfig(truth="lidar"))


@pytest.mark.parametrize("index", [0, TINY_WORLD.num_frames - 1])
def test_a_test_frame_needs_no_neighbours(copy: Path, index: int) -> None:
    (copy / LISTS / "test_files.txt").write_text(f"{TEST} {index} l\n")
    assert check_data(told(copy))["test"].truth.missing() == ["neighbours", "poses"]


def test_the_fingerprint_is_of_the_data_and_not_of_its_place(tiny_world: Path, copy: Path) -> None:
    here, there = (check_data(told(root)) for root in (tiny_world, copy))
    assert here == there
    assert len({summary.fingerprint for summary in here.values()}) == 3


def test_the_fingerprint_changes_with_an_image_or_a_list(copy: Path) -> None:
    before = check_data(told(copy))
    Image.new("RGB", (192, 64)).save(copy / VAL / "image_02/data/0000000004.png")
    append(copy / LISTS / "test_files.txt", f"{TEST} 1 l")
    after = check_data(told(copy))
    changed = [split for split in after if after[split].fingerprint != before[split].fingerprint]
    assert changed == ["val", "test"]


@pytest.mark.parametrize("name", ["kitti", "kitti-odometry", "cityscapes"])
def test_a_root_that_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    for root, found in [
        (None, "none"),
        (tmp_path / "file", f"nothing at {tmp_path / 'file'}"),
        (tmp_path / "no", f"nothing at {tmp_path / 'no'}"),
    ]:
        with pytest.raises(ValueError) as caught:
            check_data(DataConfig.model_validate({"name": name, "root": root}))
        assert str(caught.value) == (
            f"data.root: expected the directory of {name}, found {found}; set base.data.root; "
            + WHERE[name]
        )


def test_driveworld_is_rendered_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    world = DriveworldConfig(
        num_train_drives=1, num_val_drives=0, num_test_drives=0, num_frames=3, width=64, height=32
    )
    heard: list[tuple[int, int]] = []
    root = data_root(DataConfig(driveworld=world), lambda *progress: heard.append(progress))
    assert root == Path("data") / f"driveworld-{world.fingerprint()}"
    assert heard == [(0, 1), (1, 1)]
    assert data_root(DataConfig(driveworld=world), lambda *_: heard.clear()) == root
    assert heard


def test_another_world_is_not_taken_for_this_one(tiny_world: Path) -> None:
    other = TINY_WORLD.model_copy(update={"seed": 1})
    with pytest.raises(
        ValueError, match=r"expected driveworld .* found driveworld .*; give another"
    ):
        check_data(DataConfig(root=tiny_world, driveworld=other))
