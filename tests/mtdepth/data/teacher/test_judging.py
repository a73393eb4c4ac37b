"""Average precision of a teacher's maps."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtdepth.data.teacher.config import SourceConfig
from mtdepth.data.teacher.judging import _spread, judge
from mtdepth.data.teacher.sources import Pair, list_pairs
from tests.mtdepth.data.teacher.toys import Oracle, scene, toy_street, write_frame


def test_who_sees_all_has_one_and_who_sees_half_has_half(tmp_path: Path) -> None:
    source = toy_street(tmp_path, train=1, val=1, num_frames=3)
    pairs = list_pairs(source, "val")
    assert judge(Oracle(), pairs, source, 2) == {"ap": 1.0, "ap50": 1.0}
    # One of two instances an image, surely: precision is 1 up to a recall of a half, which is 51
    # of COCO's 101 levels.
    half = judge(Oracle(persons=False), pairs, source, 2)
    assert half == pytest.approx({"ap": 51 / 101, "ap50": 51 / 101})


def test_stuff_and_groups_are_not_judged(tmp_path: Path) -> None:
    image, instances = scene(0)
    instances[instances == 0] = 7
    instances[-4:] = 26
    pair = write_frame(tmp_path, 0, image, instances)
    assert judge(Oracle(), [pair], SourceConfig(), 1)["ap50"] == 1.0


def test_small_instances_are_not_judged_and_nothing_is_no_number(tmp_path: Path) -> None:
    source = toy_street(tmp_path, train=1, val=1, num_frames=2)
    pairs = list_pairs(source, "val")
    large = source.model_copy(update={"min_area": 64 * 96})
    assert judge(Oracle(), pairs, large, 2) == {}


def test_images_are_spread_evenly() -> None:
    pairs = [Pair(Path(str(number)), Path()) for number in range(10)]
    assert [pair.image.name for pair in _spread(pairs, 4)] == ["0", "2", "5", "7"]
    assert _spread(pairs, 10) == _spread(pairs, 11) == _spread(pairs, None) == pairs
