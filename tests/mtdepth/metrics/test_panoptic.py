"""Panoptic quality, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mtdepth.instances.clustering import Instances
from mtdepth.metrics.panoptic import panoptic_quality


def strip(*runs: tuple[int, int]) -> np.ndarray:
    """(1, N) map of runs (value, pixels), one after the other."""
    return np.repeat([value for value, _ in runs], [pixels for _, pixels in runs])[None]


def found(instances: np.ndarray) -> Instances:
    return Instances(instances.astype(np.int32), np.ones(int(instances.max())))


def judged(predicted: np.ndarray, true: np.ndarray, min_area: int = 1) -> dict[str, float]:
    return panoptic_quality([found(predicted)], [true], min_area=min_area)


def test_truth_is_perfect_and_nothing_finds_nothing() -> None:
    true = strip((0, 5), (26001, 10), (26002, 10))
    assert judged(strip((0, 5), (2, 10), (1, 10)), true) == {"pq": 1, "sq": 1, "rq": 1}
    assert judged(strip((0, 25)), true) == {"pq": 0, "sq": 0, "rq": 0}


def test_one_match_one_miss_and_one_too_many() -> None:
    true = strip((26001, 10), (0, 10), (26002, 10), (0, 10))
    ours = strip((1, 8), (0, 22), (2, 10))  # IoU 8 / 10; the other lies elsewhere
    assert judged(ours, true) == pytest.approx({"pq": 0.4, "sq": 0.8, "rq": 0.5})


def test_an_iou_of_a_half_is_no_match() -> None:
    true = strip((7, 10), (0, 10))
    assert judged(strip((1, 5), (0, 15)), true)["rq"] == 0
    assert judged(strip((1, 6), (0, 14)), true) == pytest.approx({"pq": 0.6, "sq": 0.6, "rq": 1})


def test_two_halves_of_one_are_two_mistakes() -> None:
    true = strip((7, 10), (0, 2))
    assert judged(strip((1, 5), (2, 5), (0, 2)), true) == {"pq": 0, "sq": 0, "rq": 0}


def test_images_count_by_their_objects() -> None:
    full, empty = strip((1, 4), (2, 4), (3, 4)), strip((1, 12))
    found_here = panoptic_quality([found(full), found(strip((0, 12)))], [full, empty], min_area=1)
    assert found_here == pytest.approx({"pq": 6 / 7, "sq": 1, "rq": 3 / (7 / 2)})


def test_small_objects_neither_help_nor_hurt() -> None:
    true = strip((7, 10), (8, 3), (0, 7))
    both, one = strip((1, 10), (2, 3), (0, 7)), strip((1, 10), (0, 10))
    perfect = {"pq": 1, "sq": 1, "rq": 1}
    assert judged(both, true, min_area=4) == judged(one, true, min_area=4) == perfect
    mostly_there = strip((1, 10), (2, 5), (0, 5))  # 3 of its 5 are the small one's
    assert judged(mostly_there, true, min_area=4) == perfect
    half_elsewhere = strip((1, 10), (2, 6), (0, 4))  # 3 of its 6
    assert judged(half_elsewhere, true, min_area=4)["rq"] == pytest.approx(2 / 3)


def test_a_match_is_not_forgiven() -> None:
    true = strip((7, 10), (8, 3))
    assert judged(strip((1, 13)), true, min_area=4) == pytest.approx(
        {"pq": 10 / 13, "sq": 10 / 13, "rq": 1}
    )


def test_without_objects_there_is_no_quality() -> None:
    assert judged(strip((1, 4), (0, 4)), strip((0, 8))) == {}
    assert judged(strip((0, 8)), strip((7, 3), (0, 5)), min_area=4) == {}
    assert panoptic_quality([], [], min_area=1) == {}


def test_maps_must_fit() -> None:
    with pytest.raises(ValueError, match="as many predicted as true"):
        panoptic_quality([], [strip((1, 4))], min_area=1)
    with pytest.raises(ValueError, match="image 0: expected maps of one size"):
        judged(strip((1, 4)), strip((1, 5)))
