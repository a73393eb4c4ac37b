"""Division by drive: no triplet of one side has a frame on the other, and no frame is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.by_drive import SHARE, validation_drives
from mtdepth.data.check import check_data
from mtdepth.data.loader import open_split
from mtdepth.data.splits import Frame, list_split
from mtdepth.metrics.names import Split

DRIVES = [f"2011_09_26/2011_09_26_drive_{i:04d}_sync" for i in range(20)]


def told(root: Path, split: str = "eigen_zhou_by_drive") -> DataConfig:
    return DataConfig(name="kitti", root=root, split=split)


def frames(root: Path, split: Split, name: str = "eigen_zhou_by_drive") -> tuple[Frame, ...]:
    return list_split(told(root, name), root, split).frames


def published(config: DataConfig) -> Path:
    """The data's root, if Eigen-Zhou's lists are there."""
    assert config.root is not None
    if not (config.root / "splits/eigen_zhou").is_dir():
        pytest.skip("the published lists are not there")
    return config.root


def triplets(targets: tuple[Frame, ...]) -> set[Frame]:
    return {frame.shifted(step) for frame in targets for step in (-1, 0, 1)}


def write_lists(root: Path, parts: dict[str, list[str]], name: str = "eigen_zhou") -> None:
    (root / "splits" / name).mkdir(parents=True)
    for part, lines in parts.items():
        (root / f"splits/{name}/{part}_files.txt").write_text("".join(f"{x}\n" for x in lines))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Twenty drives of ten frames, every fifth of which validates."""
    lines = [f"{drive} {i} {side}" for i in range(1, 6) for side in "lr" for drive in DRIVES]
    parts = {"val": lines[::5], "train": [x for i, x in enumerate(lines) if i % 5]}
    write_lists(tmp_path, parts)
    write_lists(tmp_path, {"test": [f"{DRIVES[0]} 7 l"]}, "eigen")
    return tmp_path


def test_published_validation_lies_inside_training(kitti: DataConfig) -> None:
    root = published(kitti)
    train, val = (frames(root, part, "eigen_zhou") for part in ("train", "val"))
    assert (len(train), len(val)) == (39_810, 4_424)
    seen = triplets(train)
    assert sum(target in seen for target in val) == 4_368


def test_by_drive_no_triplet_shares_a_frame_and_no_frame_is_lost(kitti: DataConfig) -> None:
    root = published(kitti)
    train, val = frames(root, "train"), frames(root, "val")
    assert not triplets(train) & triplets(val)
    assert not {f.drive for f in train} & {f.drive for f in val}
    lists = [frames(root, part, "eigen_zhou") for part in ("train", "val")]
    assert Counter(train + val) == Counter(lists[0] + lists[1])
    assert (len(train), len(val)) == (39_824, 4_410)
    assert len({f.drive for f in val}) == 11


def test_the_test_list_stays(kitti: DataConfig, small: Path) -> None:
    root = published(kitti)
    assert frames(root, "test") == frames(root, "test", "eigen")
    assert len(frames(root, "test")) == 697
    write_lists(small, {"test": [f"{DRIVES[1]} 8 r"]}, "elsewhere")
    (small / "splits/elsewhere/test_files.txt").rename(small / "splits/eigen_zhou/test_files.txt")
    assert frames(small, "test") == (Frame(DRIVES[1], 8, "r"),)  # its own comes first


def test_a_small_list_is_divided_like_a_large_one(small: Path) -> None:
    train, val = frames(small, "train"), frames(small, "val")
    assert len(train) == 180
    assert len(val) == 20
    assert not triplets(train) & triplets(val)


def test_neither_the_order_nor_the_former_list_of_a_frame_matters(small: Path) -> None:
    before = {part: set(frames(small, part)) for part in ("train", "val")}
    folder = small / "splits/eigen_zhou"
    lists = {part: (folder / f"{part}_files.txt").read_text() for part in ("train", "val")}
    (folder / "train_files.txt").write_text(lists["val"])
    (folder / "val_files.txt").write_text("\n".join(reversed(lists["train"].split("\n"))))
    assert {part: set(frames(small, part)) for part in ("train", "val")} == before


def test_the_chosen_drives_are_the_same_for_ever() -> None:
    """Of these names, sha256sum sorts s (043a...) and p (148d...) first: two of twenty frames."""
    assert validation_drives("abcdefghijklmnopqrst") == {"p", "s"}


def test_a_drive_too_large_is_passed_over() -> None:
    drives = "sss" + "abcdefghijklmnopqrt"  # the first that is asked has three of 22 frames
    assert validation_drives(drives) == {"p", "j"}
    assert sum(x in "pj" for x in drives) <= SHARE * len(drives)


def test_drives_that_are_all_too_large_are_told() -> None:
    with pytest.raises(ValueError, match=r"at most 10% of all frames .* found 2 drives of at leas"):
        validation_drives("aab")


def test_a_frame_is_told_where_it_is_listed(small: Path) -> None:
    listed = list_split(told(small), small, "train")
    for place, frame in zip(listed.places, listed.frames, strict=True):
        path, line = place.rsplit(":", 1)
        assert Path(path).read_text().splitlines()[int(line) - 1] == str(frame)


@pytest.mark.parametrize("part", ["train", "val"])
def test_a_missing_list_is_told(small: Path, part: Literal["train", "val"]) -> None:
    (small / f"splits/eigen_zhou/{part}_files.txt").unlink()
    with pytest.raises(ValueError, match=rf"expected {part}_files.txt in .*splits/eigen_zhou or"):
        list_split(told(small), small, "train")


def test_data_is_checked_and_read_by_it(
    tiny_world: Path, tiny_data: DataConfig, tmp_path: Path
) -> None:
    """Two of a tiny world's five drives are less than a tenth once the others are repeated."""
    with pytest.raises(ValueError, match=r"data\.split: expected a drive of at most 10%"):
        check_data(tiny_data.model_copy(update={"split": "driveworld_by_drive"}))
    for part, repeats in (("train", 20), ("val", 1), ("test", 1)):
        lines = (tiny_world / f"splits/driveworld/{part}_files.txt").read_text()
        (tmp_path / f"{part}_files.txt").write_text(lines * repeats)
    by_drive = tiny_data.model_copy(update={"split": f"{tmp_path}_by_drive"})
    found = check_data(by_drive)
    assert [found[part].num_samples for part in ("train", "val", "test")] == [180, 6, 3]
    assert len({summary.fingerprint for summary in found.values()}) == 3
    assert len(open_split(by_drive, "val")) == 6
