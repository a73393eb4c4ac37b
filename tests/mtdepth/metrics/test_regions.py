"""Depth on objects: whose pixels count where, and which objects are holes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mtdepth.metrics.depth import evaluate_image
from mtdepth.metrics.regions import hole_rate, region_counts, region_metrics

SHAPE = (100, 300)


def one_car(value: int, depth_m: float, *, number: int = 26000) -> tuple[np.ndarray, ...]:
    """Predicted and true metres, motion and instances: a street of 10 m, and one car in it."""
    predicted = np.full(SHAPE, 10.0)
    motion, instances = np.zeros(SHAPE, int), np.zeros(SHAPE, int)
    where = np.s_[60:80, 100:120]
    predicted[where], motion[where], instances[where] = depth_m, value, number
    return predicted, np.full(SHAPE, 10, np.float32), motion, instances


def judged(*maps: np.ndarray) -> dict[str, float]:
    predicted, true, motion, instances = maps
    return evaluate_image(1 / predicted, true, crop="garg", motion=motion, instances=instances)


@pytest.mark.parametrize(("value", "region"), [(1, "static"), (2, "moving"), (3, "comoving")])
def test_a_region_has_its_own_pixels_and_no_other(value: int, region: str) -> None:
    found = judged(*one_car(value, 25))
    own = {name.split("/")[1]: found[name] for name in found if "/" in name}
    assert own == pytest.approx({"abs_rel": 1.5, "rmse": 15, "a1": 0, "hole_rate": 1})
    assert all(name.startswith(f"{region}/") for name in found if "/" in name)


@pytest.mark.parametrize(("depth_m", "is_hole"), [(4, 0), (10, 0), (14.9, 0), (15.1, 1), (70, 1)])
def test_a_hole_begins_at_one_and_a_half_times_the_truth(depth_m: float, is_hole: int) -> None:
    assert judged(*one_car(3, depth_m))["comoving/hole_rate"] == is_hole


def test_the_scale_is_that_of_the_whole_image() -> None:
    predicted, *others = one_car(3, 25)
    assert judged(100 * predicted, *others) == pytest.approx(judged(predicted, *others))


def test_objects_count_alike_whatever_their_size() -> None:
    instances = np.repeat([0, 1, 2, 3], [50, 100, 10, 1])
    predicted, true = np.full(161, 10.0), np.full(161, 10.0)
    predicted[instances == 3] = 40
    assert hole_rate(predicted, true, instances) == pytest.approx(1 / 3)
    predicted[instances == 2] = 40
    assert hole_rate(predicted, true, instances) == pytest.approx(2 / 3)


def test_the_median_decides_and_not_the_far_background_at_the_rim() -> None:
    true = np.array([10.0, 10, 10, 10, 10])
    instances = np.full(5, 7)
    assert hole_rate(np.array([10.0, 10, 10, 70, 70]), true, instances) == 0
    assert hole_rate(np.array([10.0, 10, 70, 70, 70]), true, instances) == 1


def test_medians_are_taken_before_they_are_compared() -> None:
    predicted, true = np.array([2.0, 10, 14]), np.array([1.0, 8, 7])
    assert hole_rate(predicted, true, np.ones(3, int)) == 0  # 10 / 7; ratios 2, 1.25, 2
    predicted, true = np.array([16.0, 17, 5]), np.array([10.0, 17, 5])
    assert hole_rate(predicted, true, np.ones(3, int)) == 1  # 16 / 10; ratios 1.6, 1, 1


def test_a_region_without_pixels_or_objects_is_left_out() -> None:
    predicted, true, motion, instances = one_car(2, 25)
    found = judged(predicted, true, motion, instances)
    assert {name.split("/")[0] for name in found if "/" in name} == {"moving"}
    true[60:80, 100:120] = 0  # no lidar point hit it
    assert not any("/" in name for name in judged(predicted, true, motion, instances))
    flat = [x.ravel() for x in (predicted, one_car(2, 25)[1], motion)]
    assert "moving/hole_rate" not in region_metrics(*flat, None)
    assert "moving/hole_rate" not in region_metrics(*flat, np.zeros_like(flat[2]))


def test_nan_is_neither_a_hole_nor_none() -> None:
    predicted, true = np.array([math.nan, 10, 10]), np.full(3, 10.0)
    assert math.isnan(hole_rate(predicted, true, np.array([1, 1, 2])))


def test_counts_tell_over_how_many_images_a_mean_is() -> None:
    rows = [judged(*one_car(value, 12)) for value in (3, 3, 1)]
    assert region_counts([*rows, {}]) == {
        "static/num_images": 1,
        "moving/num_images": 0,
        "comoving/num_images": 2,
    }
    assert region_counts([{"abs_rel": 0.1}, {}]) == {}
