"""Split files: what is read, and what is said of what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.splits import Frame, list_split, read_split, runs, split_files

DRIVE = "2011_09_26/2011_09_26_drive_0001_sync"


def test_lines_are_read_with_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "train_files.txt"
    path.write_text(f"{DRIVE} 12 l\n\n{DRIVE} 0000000013 r\n")
    assert read_split(path) == [(1, Frame(DRIVE, 12, "l")), (3, Frame(DRIVE, 13, "r"))]


def test_a_sequence_of_cityscapes_is_a_drive(tmp_path: Path) -> None:
    path = tmp_path / "val_files.txt"
    path.write_text("train/aachen/aachen_000000 000019 l\n")
    assert read_split(path) == [(1, Frame("train/aachen/aachen_000000", 19, "l"))]


def test_a_bare_number_is_a_sequence_of_odometry(tmp_path: Path) -> None:
    path = tmp_path / "train_files.txt"
    path.write_text("8 4056 r\n0 12 l\n10 3 l\nsequences/09 2 r\n")
    assert [frame for _, frame in read_split(path)] == [
        Frame("sequences/08", 4056, "r"),
        Frame("sequences/00", 12, "l"),
        Frame("sequences/10", 3, "l"),
        Frame("sequences/09", 2, "r"),
    ]


NO_FRAMES = [
    "what",
    f"{DRIVE} x l",
    f"{DRIVE} 3 m",
    f"{DRIVE} 3",
    "a 3 l",
    "9 x l",
    "9 3",
    "-9 3 l",
]


@pytest.mark.parametrize("line", NO_FRAMES)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "val_files.txt"
    path.write_text(f"{DRIVE} 1 l\n{line}\n")
    with pytest.raises(ValueError, match=rf"val_files.txt:2: expected .* found '{line}'"):
        read_split(path)


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("\n\n")
    with pytest.raises(ValueError, match="at least one frame"):
        read_split(tmp_path / "x.txt")


def test_a_split_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    by_name, by_path = tmp_path / "splits" / "mine", tmp_path / "elsewhere"
    for folder in (by_name, by_path):
        folder.mkdir(parents=True)
        (folder / "test_files.txt").write_text(f"{DRIVE} 1 l\n")
    found = split_files(DataConfig(split="mine"), tmp_path, "test")
    assert found == [by_name / "test_files.txt"]
    found = split_files(DataConfig(split=str(by_path)), tmp_path, "test")
    assert found == [by_path / "test_files.txt"]
    with pytest.raises(ValueError, match=r"data\.split: expected test_files\.txt in"):
        split_files(DataConfig(split="other"), tmp_path, "test")


def odometry(root: Path, *lists: str) -> DataConfig:
    """Odometry's lists: two frames of each file's sequence, or of the first where it names none."""
    (root / "splits/odom").mkdir(parents=True)
    for name in lists:
        number = "".join(filter(str.isdigit, name)).lstrip("0") or "0"
        (root / "splits/odom" / name).write_text(f"{number} 0 l\n{number} 1 l\n")
    return DataConfig(split="odom")


def test_odometry_is_tested_on_all_its_sequences(tmp_path: Path) -> None:
    names = ("test_files_10.txt", "test_files_09.txt", "test_files_old.txt", "val_files.txt")
    config, folder = odometry(tmp_path, *names), tmp_path / "splits/odom"
    found = list_split(config, tmp_path, "test")
    assert [str(frame) for frame in found.frames] == [
        "sequences/09 0 l",
        "sequences/09 1 l",
        "sequences/10 0 l",
        "sequences/10 1 l",
    ]
    assert found.places[1:3] == (
        f"{folder / 'test_files_09.txt'}:2",
        f"{folder / 'test_files_10.txt'}:1",
    )
    assert found.content == b"9 0 l\n9 1 l\n10 0 l\n10 1 l\n"
    assert [str(f) for f in list_split(config, tmp_path, "val").frames] == [
        "sequences/00 0 l",
        "sequences/00 1 l",
    ]


def test_one_sequence_may_do(tmp_path: Path) -> None:
    config = odometry(tmp_path, "test_files_10.txt")
    found = list_split(config, tmp_path, "test").frames
    assert [frame.drive for frame in found] == ["sequences/10"] * 2


def test_a_list_of_all_is_preferred(tmp_path: Path) -> None:
    config = odometry(tmp_path, "test_files_10.txt")
    folder = tmp_path / "splits/odom"
    (folder / "test_files.txt").write_text("7 1 l\n")
    assert split_files(config, tmp_path, "test") == [folder / "test_files.txt"]


@pytest.mark.parametrize(("name", "told"), [("kitti", True), ("driveworld", False)])
def test_where_lists_are_to_be_had(tmp_path: Path, name: str, told: bool) -> None:
    config = DataConfig.model_validate({"name": name, "split": "other"})
    with pytest.raises(ValueError, match=r"found neither") as caught:
        split_files(config, tmp_path, "train")
    assert ("monodepth2's repository, folder splits" in str(caught.value)) == told


def test_frame_names() -> None:
    frame = Frame(DRIVE, 5, "r")
    assert frame.camera == "03"
    assert frame.shifted(-1) == Frame(DRIVE, 4, "r")
    assert str(frame) == f"{DRIVE} 5 r"


def test_runs_are_consecutive_and_of_one_drive_and_side() -> None:
    other = DRIVE.replace("0001", "0002")
    frames = [Frame(DRIVE, i) for i in (3, 1, 2, 7)]
    frames += [Frame(other, 3), Frame(DRIVE, 4, "r"), Frame(DRIVE, 2)]
    found = [[f.index for f in run] for run in runs(frames)]
    assert sorted(found) == [[1, 2, 3], [3], [4], [7]]
