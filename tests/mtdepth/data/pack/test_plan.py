"""What is on disk is packed; what isn't is left out, a line a drive."""

from __future__ import annotations

import shutil

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.pack.plan import make_plan, needed, without
from mtdepth.data.reader import open_reader
from mtdepth.data.splits import SPLITS, Frame
from tests.mtdepth.data.pack.packs import DRIVE, TEST, TRAIN, VAL, image


def planned(config: DataConfig):
    assert config.root
    return make_plan(config, open_reader(config, config.root))


def test_each_frame_is_planned_once_and_sorted(world: DataConfig) -> None:
    plan = planned(world)
    assert plan.frames == tuple(Frame(DRIVE.format(d), i) for d in range(6) for i in range(5))
    assert {split: len(plan.lists[split]) for split in SPLITS} == {"train": 9, "val": 6, "test": 3}
    assert plan.judged == {Frame(DRIVE.format(d), i) for d in (3, 4, 5) for i in (1, 2, 3)}
    assert plan.left_out == ()


def test_a_missing_drive_is_one_line_with_its_samples(world: DataConfig) -> None:
    shutil.rmtree(world.root / TRAIN)
    plan = planned(world)
    (lost,) = plan.left_out
    assert (lost.drive, lost.num_samples) == (TRAIN, {"train": 3})
    assert str(lost).startswith(f"{TRAIN}: 3 of 3 triplets incomplete")
    assert "\n" not in str(lost)
    assert str(world.root) not in str(lost)
    assert all(frame.drive != TRAIN for frame in plan.frames)


def test_a_missing_neighbour_takes_its_samples_along(world: DataConfig) -> None:
    image(world, VAL, 4).unlink()
    plan = planned(world)
    (lost,) = plan.left_out
    assert str(lost).startswith(f"{VAL}: 1 of 3 triplets")
    assert Frame(VAL, 3) not in plan.lists["val"]
    assert Frame(VAL, 3) in plan.frames  # a neighbour of the second
    assert Frame(VAL, 4) not in plan.frames


def test_a_test_frame_needs_itself_alone(world: DataConfig) -> None:
    image(world, TEST, 0).unlink()
    plan = planned(world)
    assert plan.left_out == ()
    assert len(plan.lists["test"]) == 3
    assert [f.index for f in plan.frames if f.drive == TEST] == [1, 2, 3, 4]
    image(world, TEST, 2).unlink()
    (lost,) = planned(world).left_out
    assert lost.num_samples == {"test": 1}


def test_the_published_lists_are_told_drive_by_drive(kitti: DataConfig) -> None:
    """The sample has no drive of Eigen-Zhou's but its own two."""
    assert kitti.root
    if not (kitti.root / "splits/eigen_zhou").is_dir():
        pytest.skip("the published lists are not there")
    plan = planned(kitti.model_copy(update={"split": "eigen_zhou"}))
    lost = {split: sum(x.num_samples.get(split, 0) for x in plan.left_out) for split in SPLITS}
    kept = {split: len(plan.lists[split]) for split in SPLITS}
    assert [kept[split] + lost[split] for split in SPLITS] == [39_810, 4_424, 697]
    drives = [x.drive for x in plan.left_out]
    assert len(drives) < 100
    assert len(set(drives)) == len(drives)


def test_broken_frames_take_their_samples_along(world: DataConfig) -> None:
    plan = planned(world)
    broken = {Frame(TRAIN, 1): "x.png: half", Frame(TRAIN, 0): "y.png: gone", Frame(TEST, 0): "z"}
    kept, lost = without(plan.lists, broken)
    assert [(x.drive, x.num_samples) for x in lost] == [(TRAIN, {"train": 2}), (TEST, {})]
    assert str(lost[0]) == f"{TRAIN}: 2 frames broken, first: y.png: gone"
    assert [f for f in kept["train"] if f.drive == TRAIN] == [Frame(TRAIN, 3)]
    assert kept["val"] == plan.lists["val"]
    assert kept["test"] == plan.lists["test"]  # a neighbour of a test frame can be missed
    assert without(plan.lists, {}) == (plan.lists, ())


def test_what_a_sample_needs() -> None:
    frame = Frame(TRAIN, 7, "r")
    assert needed(frame, "test") == (frame,)
    assert [x.index for x in needed(frame, "val")] == [6, 7, 8]
    assert needed(frame, "train") == needed(frame, "val")
