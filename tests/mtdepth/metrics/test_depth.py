"""Depth metrics: what they are blind to, what they punish, and values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtdepth.metrics.depth import evaluate_image, mean_metrics, seven_metrics
from mtdepth.metrics.names import DEPTH, REGION_DEPTH, REGIONS, SEVEN

SHAPE = (100, 300)


def a_scene(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(2, 70, SHAPE).astype(np.float32)


@given(scale=st.floats(0.01, 100), seed=st.integers(0, 5))
def test_scale_does_not_count(scale: float, seed: int) -> None:
    true = a_scene(seed)
    noisy = 1 / (true * np.random.default_rng(9).uniform(0.7, 1.3, SHAPE))
    once = evaluate_image(noisy, true, crop=True)
    again = evaluate_image(noisy * scale, true, crop=True)
    assert again == pytest.approx(once, rel=1e-4, abs=1e-5)


def test_truth_is_perfect() -> None:
    true = a_scene()
    motion = np.full(SHAPE, 3)
    found = evaluate_image(1 / true, true, crop=True, motion=motion)
    for name in ("abs_rel", "sq_rel", "rmse", "rmse_log", "comoving/abs_rel", "comoving/rmse"):
        assert found[name] == pytest.approx(0, abs=1e-5)
    for name in ("a1", "a2", "a3", "log_corr", "comoving/a1"):
        assert found[name] == pytest.approx(1)
    assert found["comoving/hole_rate"] == 0


def test_a_constant_gets_what_constants_get() -> None:
    found = evaluate_image(np.full(SHAPE, 0.3), a_scene(), crop=True)
    assert found["abs_rel"] == pytest.approx(found["constant_abs_rel"])
    assert found["a1"] == found["constant_a1"]
    assert found["log_corr"] == 0


def test_names_are_those_that_are_promised() -> None:
    motion = np.random.default_rng(0).integers(0, 4, SHAPE)
    found = evaluate_image(1 / a_scene(1), a_scene(), crop=True, motion=motion)
    assert set(found) == {*DEPTH, *(f"{r}/{m}" for r in REGIONS for m in REGION_DEPTH)}


def test_a_region_without_pixels_is_left_out() -> None:
    motion = np.zeros(SHAPE, int)
    motion[60:80, 100:200] = 2
    found = evaluate_image(1 / a_scene(1), a_scene(), crop=True, motion=motion)
    assert "moving/abs_rel" in found
    assert not any(name.startswith(("static/", "comoving/")) for name in found)


def test_a_hole_is_seen_in_its_region_alone() -> None:
    true = np.full(SHAPE, 10, np.float32)
    predicted, motion = true.copy(), np.ones(SHAPE, int)
    predicted[60:80, 100:120], motion[60:80, 100:120] = 25, 3
    found = evaluate_image(1 / predicted, true, crop=True, motion=motion)
    assert found["comoving/hole_rate"] == 1
    assert found["static/hole_rate"] == 0
    assert found["comoving/abs_rel"] == pytest.approx(1.5)


def test_only_the_crop_counts_where_it_is_asked_for() -> None:
    true = a_scene()
    predicted = true.copy()
    predicted[:40] *= 3
    assert evaluate_image(1 / predicted, true, crop=True)["abs_rel"] == pytest.approx(0, abs=1e-6)
    assert evaluate_image(1 / predicted, true, crop=False)["abs_rel"] > 0.1


def test_unknown_and_far_truth_is_left_out() -> None:
    true = a_scene()
    predicted = true.copy()
    true[50, :], true[51, :] = 0, 95
    predicted[50:52] = 1
    assert evaluate_image(1 / predicted, true, crop=True)["abs_rel"] == pytest.approx(0, abs=1e-6)
    assert evaluate_image(1 / predicted, np.zeros(SHAPE, np.float32), crop=True) == {}


def test_a_small_prediction_is_resized() -> None:
    columns = np.linspace(0.02, 0.5, 300)
    true = np.broadcast_to(1 / columns, SHAPE).astype(np.float32)
    small = np.broadcast_to(np.linspace(0.02, 0.5, 150), (50, 150))
    assert evaluate_image(small, true, crop=True)["abs_rel"] < 0.02


def test_nan_is_not_hidden() -> None:
    disparity = 1 / a_scene()
    disparity[50, 100] = math.nan
    found = evaluate_image(disparity, a_scene(), crop=True, motion=np.full(SHAPE, 3))
    of_region = [f"comoving/{name}" for name in REGION_DEPTH]
    assert all(math.isnan(found[name]) for name in (*SEVEN, "log_corr", *of_region))


def test_rounding_of_a_constant_map_is_no_correlation() -> None:
    true = a_scene()
    shades = np.float32(0.3) * (1 + 1e-7 * (true > np.median(true)))
    assert evaluate_image(shades, true, crop=True)["log_corr"] == 0


def test_seven_metrics_by_hand() -> None:
    found = seven_metrics(np.array([2.0, 4.0, 12.0]), np.array([2.0, 5.0, 8.0]))
    assert found == pytest.approx(
        {
            "abs_rel": (0 + 1 / 5 + 4 / 8) / 3,
            "sq_rel": (0 + 1 / 5 + 16 / 8) / 3,
            "rmse": math.sqrt((1 + 16) / 3),
            "rmse_log": math.sqrt((math.log(1.25) ** 2 + math.log(1.5) ** 2) / 3),
            "a1": 1 / 3,
            "a2": 3 / 3,
            "a3": 3 / 3,
        }
    )


def test_a_mean_is_over_the_images_that_have_it() -> None:
    assert mean_metrics([{"a": 1.0, "b": 2.0}, {"a": 3.0}]) == {"a": 2.0, "b": 2.0}
    assert math.isnan(mean_metrics([{"a": 1.0}, {"a": math.nan}])["a"])
    assert mean_metrics([]) == {}
