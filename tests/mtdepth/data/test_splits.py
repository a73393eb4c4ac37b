"""Split files: what is read, and what is said of what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.splits import Frame, read_split, runs, split_file

DRIVE = "2011_09_26/2011_09_26_drive_0001_sync"


def test_lines_are_read_with_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "train_files.txt"
    path.write_text(f"{DRIVE} 12 l\n\n{DRIVE} 0000000013 r\n")
    assert read_split(path) == [(1, Frame(DRIVE, 12, "l")), (3, Frame(DRIVE, 13, "r"))]


@pytest.mark.parametrize("line", ["what", f"{DRIVE} x l", f"{DRIVE} 3 m", f"{DRIVE} 3", "a 3 l"])
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
    found = split_file(DataConfig(split="mine"), tmp_path, "test")
    assert found == by_name / "test_files.txt"
    found = split_file(DataConfig(split=str(by_path)), tmp_path, "test")
    assert found == by_path / "test_files.txt"
    with pytest.raises(ValueError, match=r"data\.split: expected test_files\.txt in"):
        split_file(DataConfig(split="other"), tmp_path, "test")


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
