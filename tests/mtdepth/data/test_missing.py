"""What a list lacks on disk, told drive by drive."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.missing import WHERE, MissingDrive, find_missing
from mtdepth.data.odometry import KittiOdometry
from mtdepth.data.reader import Reader
from mtdepth.data.splits import Frame, list_split

DRIVES = [f"2011_09_26/2011_09_26_drive_{i:04d}_sync" for i in range(4)]


def put(reader: Reader, *frames: Frame, suffix: str = ".png") -> None:
    """Empty files: whether an image is whole is not looked at."""
    for frame in frames:
        path = reader.expected_path(frame).with_suffix(suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def run(drive: str, indices: range, side: str = "l") -> list[Frame]:
    return [Frame(drive, i, "l" if side == "l" else "r") for i in indices]


@pytest.fixture(params=[KittiRaw, KittiOdometry])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Reader:
    """Of an empty root."""
    make: Callable[[Path], Reader] = request.param
    return make(tmp_path)


def test_each_drive_is_told_once(reader: Reader) -> None:
    put(reader, *run(DRIVES[0], range(5)))  # whole, but for the frame after the last
    put(reader, *run(DRIVES[1], range(5)), suffix=".jpg")
    put(reader, *run(DRIVES[2], range(3)), *run(DRIVES[2], range(4, 7)))  # without frame 3
    listed = [*run(DRIVES[3], range(1, 3)), *run(DRIVES[2], range(1, 6))]
    listed += [*run(DRIVES[1], range(1, 4)), *run(DRIVES[0], range(3, 5))]
    found = find_missing(reader, listed)
    assert [listed[i] for i in found.complete] == [
        *(Frame(DRIVES[2], i) for i in (1, 5)),
        *(Frame(DRIVES[1], i) for i in (1, 2, 3)),
        Frame(DRIVES[0], 3),
    ]
    place = {frame: reader.expected_path(frame).relative_to(reader.root) for frame in listed}
    after = reader.expected_path(Frame(DRIVES[0], 5)).relative_to(reader.root)
    told = [(x.drive, x.num_samples, x.num_listed, x.first_index, x.example) for x in found.missing]
    assert told == [
        (DRIVES[0], 1, 2, 11, after.as_posix()),
        (DRIVES[2], 3, 5, 3, place[Frame(DRIVES[2], 3)].as_posix()),
        (DRIVES[3], 2, 2, 0, DRIVES[3]),
    ]
    lacks = [
        (x.num_without_folder, x.num_without_image, x.num_without_neighbour) for x in found.missing
    ]
    assert lacks == [(0, 0, 1), (0, 1, 2), (2, 0, 0)]


def test_a_frame_alone_needs_no_neighbours(reader: Reader) -> None:
    put(reader, Frame(DRIVES[0], 4))
    alone = find_missing(reader, [Frame(DRIVES[0], 4), Frame(DRIVES[0], 6)], neighbours=False)
    assert alone.complete == (0,)
    assert [(x.num_without_image, x.num_without_neighbour) for x in alone.missing] == [(1, 0)]
    assert find_missing(reader, [Frame(DRIVES[0], 4)]).complete == ()
    assert find_missing(reader, []).missing == ()


def test_the_topmost_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    reader, frame = KittiRaw(tmp_path / "root"), Frame(DRIVES[0], 1, "r")
    date = DRIVES[0].split("/")[0]
    assert [x.example for x in find_missing(reader, [frame]).missing] == [date]
    for made, topmost in [
        (".", date),
        (date, DRIVES[0]),
        (f"{DRIVES[0]}/image_02/data", f"{DRIVES[0]}/image_03"),
        (f"{DRIVES[0]}/image_03", f"{DRIVES[0]}/image_03/data"),
        (f"{DRIVES[0]}/image_03/data", f"{DRIVES[0]}/image_03/data/0000000001.png"),
    ]:
        (reader.root / made).mkdir(parents=True, exist_ok=True)
        assert [x.example for x in find_missing(reader, [frame]).missing] == [topmost]


def test_one_side_may_be_there(tmp_path: Path) -> None:
    reader = KittiRaw(tmp_path)
    put(reader, *run(DRIVES[0], range(6)))
    listed = [*run(DRIVES[0], range(1, 5)), *run(DRIVES[0], range(1, 4), "r")]
    found = find_missing(reader, listed)
    assert found.complete == (0, 1, 2, 3)
    assert [(x.num_listed, x.num_without_folder) for x in found.missing] == [(7, 3)]


def test_only_files_are_images(reader: Reader) -> None:
    frame = Frame(DRIVES[0], 1)
    path = reader.expected_path(frame)
    for name in (path.name, f"{path.stem}.txt", f"{path.stem}.jpg.part"):
        (path.parent / name).mkdir(parents=True)
    (path.parent / f"{path.stem}.bin").touch()
    path.with_suffix(".jpg").symlink_to("nowhere")
    (missing,) = find_missing(reader, [frame], neighbours=False).missing
    assert missing.num_without_image == 1
    path.with_suffix(".jpg").unlink()
    (path.parent / "elsewhere").touch()
    path.with_suffix(".jpg").symlink_to("elsewhere")
    assert find_missing(reader, [frame], neighbours=False).complete == (0,)


class Elsewhere(KittiRaw):
    """Knows of a place that it doesn't expect an image in, as Cityscapes' reader does."""

    def image_path(self, frame: Frame) -> Path | None:
        found = super().image_path(frame)
        return found or (self.root / "frame" if frame.index == 7 else None)


def test_the_reader_has_the_last_word(tmp_path: Path) -> None:
    listed = run(DRIVES[0], range(6, 9))
    assert find_missing(Elsewhere(tmp_path), listed, neighbours=False).complete == (1,)


def test_it_says_what_the_reader_would(reader: Reader) -> None:
    """Over drives with holes, from which any frame may be gone."""
    chance = random.Random(0)
    frames = [f for drive in DRIVES for side in "lr" for f in run(drive, range(12), side)]
    for frame in frames:
        if chance.random() < 0.8:
            put(reader, frame, suffix=chance.choice([".png", ".jpg"]))
    chance.shuffle(frames)
    for steps in ((0,), (-1, 0, 1)):
        there = [
            i
            for i, frame in enumerate(frames)
            if all(reader.image_path(frame.shifted(step)) for step in steps)
        ]
        found = find_missing(reader, frames, neighbours=len(steps) > 1)
        assert list(found.complete) == there
        assert sum(x.num_samples for x in found.missing) == len(frames) - len(there)
        assert [x.drive for x in found.missing] == sorted({x.drive for x in found.missing})
        assert all(frames[x.first_index].drive == x.drive for x in found.missing)


def test_the_line_of_a_drive_and_its_json() -> None:
    told = MissingDrive(
        drive=DRIVES[1],
        unit="triplets",
        num_listed=212,
        num_without_folder=0,
        num_without_image=3,
        num_without_neighbour=2,
        first_index=7,
        example=f"{DRIVES[1]}/image_02/data/0000000007.png",
    )
    assert str(told) == (
        f"{DRIVES[1]}: 5 of 212 triplets incomplete (3 without image, 2 without neighbour), "
        f"first missing: {DRIVES[1]}/image_02/data/0000000007.png"
    )
    assert json.loads(json.dumps(asdict(told)))["num_listed"] == 212


def test_every_data_set_is_had_somewhere() -> None:
    assert set(get_args(DataConfig.model_fields["name"].annotation)) <= set(WHERE)


def test_eigen_zhou_without_a_drive_of_its_own(kitti: DataConfig) -> None:
    """The sample has two drives, of which the lists name one; all others are a line each."""
    assert kitti.root
    told = kitti.model_copy(update={"split": "eigen_zhou"})
    if not (kitti.root / "splits/eigen_zhou").is_dir():
        pytest.skip("the published lists are not there")
    frames = [f for s in ("train", "val") for f in list_split(told, kitti.root, s).frames]
    found = find_missing(KittiRaw(kitti.root), frames)
    assert len(frames) == 39_810 + 4_424
    assert len(found.complete) + sum(x.num_samples for x in found.missing) == len(frames)
    assert {frames[i].drive for i in found.complete} <= {
        f"2011_09_26/2011_09_26_drive_{i:04d}_sync" for i in (2, 95)
    }
    assert len(found.missing) >= len({f.drive for f in frames}) - 2
