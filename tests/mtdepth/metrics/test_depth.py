"""Depth metrics: what they are blind to, what they punish, and the protocol reckoned otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtdepth.config import Crop
from mtdepth.metrics.depth import evaluate_image, mean_metrics
from mtdepth.metrics.names import DEPTH, REGION_DEPTH, REGIONS, SEVEN

SHAPE = (100, 300)


def a_scene(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(2, 70, SHAPE).astype(np.float32)


@given(scale=st.floats(0.01, 100), seed=st.integers(0, 5))
def test_scale_does_not_count(scale: float, seed: int) -> None:
    true = a_scene(seed)
    noisy = 1 / (true * np.random.default_rng(9).uniform(0.7, 1.3, SHAPE))
    once = evaluate_image(noisy, true, crop="garg")
    again = evaluate_image(noisy * scale, true, crop="garg")
    assert again == pytest.approx(once, rel=1e-4, abs=1e-5)


def test_truth_is_perfect() -> None:
    true = a_scene()
    motion = np.full(SHAPE, 3)
    found = evaluate_image(1 / true, true, crop="garg", motion=motion, instances=motion)
    for name in ("abs_rel", "sq_rel", "rmse", "rmse_log", "comoving/abs_rel", "comoving/rmse"):
        assert found[name] == pytest.approx(0, abs=1e-5)
    for name in ("a1", "a2", "a3", "log_corr", "comoving/a1"):
        assert found[name] == pytest.approx(1)
    assert found["comoving/hole_rate"] == 0


def test_a_constant_gets_what_constants_get() -> None:
    found = evaluate_image(np.full(SHAPE, 0.3), a_scene(), crop="garg")
    assert found["abs_rel"] == pytest.approx(found["constant_abs_rel"])
    assert found["a1"] == found["constant_a1"]
    assert found["log_corr"] == 0


def test_names_are_those_that_are_promised() -> None:
    motion = np.random.default_rng(0).integers(0, 4, SHAPE)
    disparity = 1 / a_scene(1)
    found = evaluate_image(disparity, a_scene(), crop="garg", motion=motion, instances=motion)
    assert set(found) == {*DEPTH, *(f"{r}/{m}" for r in REGIONS for m in REGION_DEPTH)}
    assert set(evaluate_image(disparity, a_scene(), crop="garg")) == set(DEPTH)


def test_only_the_crop_counts_where_it_is_asked_for() -> None:
    true = a_scene()
    predicted = true.copy()
    predicted[:40] *= 3
    assert evaluate_image(1 / predicted, true, crop="garg")["abs_rel"] == pytest.approx(0, abs=1e-6)
    assert evaluate_image(1 / predicted, true, crop="none")["abs_rel"] > 0.1


def test_unknown_and_far_truth_is_left_out() -> None:
    true = a_scene()
    predicted = true.copy()
    true[50, :], true[51, :] = 0, 95
    predicted[50:52] = 1
    assert evaluate_image(1 / predicted, true, crop="garg")["abs_rel"] == pytest.approx(0, abs=1e-6)
    assert evaluate_image(1 / predicted, np.zeros(SHAPE, np.float32), crop="garg") == {}


def test_without_a_crop_all_known_truth_counts() -> None:
    true = np.full(SHAPE, 50, np.float32)
    true[0], true[1] = 0, 160  # unknown; twice the farthest that can be predicted
    predicted = np.where(true > 0, true, 1)
    found = evaluate_image(1 / predicted, true, crop="none")
    assert found["abs_rel"] == pytest.approx(0.5 / 99, rel=1e-5)


@pytest.mark.parametrize(
    ("pixel", "judged"),
    [
        ((153, 44), True),
        ((152, 44), False),
        ((153, 43), False),
        ((370, 1196), True),
        ((371, 1196), False),
        ((370, 1197), False),
    ],
)
def test_the_crop_of_kittis_images_begins_and_ends_where_it_should(
    pixel: tuple[int, int], judged: bool
) -> None:
    # 0.40810811 * 375 = 153.04, 0.99189189 * 375 = 371.96; 44.65 and 1197.35 of 1242
    true = np.zeros((375, 1242), np.float32)
    true[pixel] = 10
    assert bool(evaluate_image(true + 1, true, crop="garg")) is judged


@pytest.mark.parametrize(
    ("pixel", "judged"),
    [
        ((256, 192), True),
        ((255, 192), False),
        ((256, 191), False),
        ((767, 1855), True),
        ((767, 1856), False),
    ],
)
def test_the_crop_of_cityscapes_images_begins_and_ends_where_it_should(
    pixel: tuple[int, int], judged: bool
) -> None:
    true = np.zeros((768, 2048), np.float32)
    true[pixel] = 10
    assert bool(evaluate_image(np.ones((4, 8), np.float32), true, crop="cityscapes")) is judged


def bilinear(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resized as OpenCV does: centres of pixels on centres, borders repeated."""
    for axis, size in enumerate((height, width)):
        length = values.shape[axis]
        at = ((np.arange(size) + 0.5) * length / size - 0.5).clip(0, length - 1)
        low = np.floor(at).astype(int)
        high, share = np.minimum(low + 1, length - 1), at - low
        weights = share[:, None] if axis == 0 else share
        values = values.take(low, axis) * (1 - weights) + values.take(high, axis) * weights
    return values


@pytest.mark.parametrize("crop", ["garg", "none"])
@pytest.mark.parametrize("shape", [(375, 1242), (370, 1226)])
def test_the_protocol_reckoned_otherwise(crop: Crop, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    nearer_below = np.geomspace(0.01, 0.3, 96)[:, None] * rng.uniform(0.95, 1.05, (96, 320))
    disparity = nearer_below.astype(np.float32)
    resized = bilinear(disparity.astype(float), *shape)
    true = (5.4 / resized * rng.lognormal(0, 0.3, shape)).astype(np.float32)
    true[rng.random(shape) > 0.05] = 0
    (height, width), mask = shape, true > 0
    if crop == "garg":
        top, bottom, left, right = np.array(
            [0.40810811 * height, 0.99189189 * height, 0.03594771 * width, 0.96405229 * width]
        ).astype(np.int32)
        rows, columns = np.mgrid[:height, :width]
        mask &= (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
        mask &= (true > 1e-3) & (true < 80)
    t, p = true[mask].astype(float), 1 / resized[mask]
    p = np.minimum(np.maximum(p * np.median(t) / np.median(p), 1e-3), 80)
    ratio = np.maximum(t / p, p / t)
    expected = {
        "abs_rel": (abs(t - p) / t).mean(),
        "sq_rel": ((t - p) ** 2 / t).mean(),
        "rmse": ((t - p) ** 2).mean() ** 0.5,
        "rmse_log": ((np.log(t) - np.log(p)) ** 2).mean() ** 0.5,
        **{f"a{n}": (ratio < 1.25**n).mean() for n in (1, 2, 3)},
    }
    found = evaluate_image(disparity, true, crop=crop)
    assert {name: found[name] for name in SEVEN} == pytest.approx(expected, rel=1e-6)


def test_a_small_prediction_is_resized() -> None:
    columns = np.linspace(0.02, 0.5, 300)
    true = np.broadcast_to(1 / columns, SHAPE).astype(np.float32)
    small = np.broadcast_to(np.linspace(0.02, 0.5, 150), (50, 150))
    assert evaluate_image(small, true, crop="garg")["abs_rel"] < 0.02


def test_nan_is_not_hidden() -> None:
    disparity = 1 / a_scene()
    disparity[50, 100] = math.nan
    motion = np.full(SHAPE, 3)
    found = evaluate_image(disparity, a_scene(), crop="garg", motion=motion, instances=motion)
    of_region = [f"comoving/{name}" for name in REGION_DEPTH]
    assert all(math.isnan(found[name]) for name in (*SEVEN, "log_corr", *of_region))


def test_rounding_of_a_constant_map_is_no_correlation() -> None:
    true = a_scene()
    shades = np.float32(0.3) * (1 + 1e-7 * (true > np.median(true)))
    assert evaluate_image(shades, true, crop="garg")["log_corr"] == 0


def test_a_mean_is_over_the_images_that_have_it() -> None:
    assert mean_metrics([{"a": 1.0, "b": 2.0}, {"a": 3.0}]) == {"a": 2.0, "b": 2.0}
    assert math.isnan(mean_metrics([{"a": 1.0}, {"a": math.nan}])["a"])
    assert mean_metrics([]) == {}
