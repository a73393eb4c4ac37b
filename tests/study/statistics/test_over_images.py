"""Differences over images, of two ways that nothing random is in."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.statistics import image_difference


def drawn(mean: float, spread: float, num: int = 1000, seed: int = 0) -> list[float]:
    return (mean + spread * np.random.default_rng(seed).standard_normal(num)).tolist()


def test_a_clear_difference_is_clear_and_none_is_none() -> None:
    clear = image_difference(0.3, 0.1, drawn(0.3, 0.02), drawn(0.1, 0.02, seed=1), 80)
    assert clear.mean == pytest.approx(0.2)
    assert (clear.low, clear.high) == pytest.approx((0.2 - 0.055, 0.2 + 0.055), abs=0.01)
    assert clear.p_value == clear.smallest_p == pytest.approx(2 / 1001)
    assert (clear.num_pairs, clear.test) == (80, "images")
    none = image_difference(0.1, 0.1, drawn(0.1, 0.02), drawn(0.1, 0.02, seed=1), 80)
    assert none.low < 0 < none.high
    assert none.p_value > 0.5


def test_the_same_way_twice_does_not_differ() -> None:
    same = image_difference(0.1, 0.1, drawn(0.1, 0.02), drawn(0.1, 0.02), 80)
    assert (same.mean, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_p_counts_the_draws_on_the_far_side_of_zero() -> None:
    found = image_difference(1, 0, [-1.0, *[1.0] * 98], [0.0] * 99, 9)
    assert found.p_value == pytest.approx(2 * (1 + 1) / 100)


def test_pairing_is_what_makes_it_sharp() -> None:
    """Two ways that fare alike on every draw differ surely, however much draws differ."""
    hard = drawn(0.5, 0.2)
    found = image_difference(0.52, 0.5, [x + 0.02 for x in hard], hard, 80)
    assert (found.low, found.high) == pytest.approx((0.02, 0.02))
    assert found.p_value < 0.01


def test_what_is_not_drawn_has_no_interval_and_no_p() -> None:
    for ours, theirs in (([], []), ([math.nan] * 5, [0.0] * 5)):
        found = image_difference(3.0, 2.0, ours, theirs, 80)
        assert found.mean == 1
        assert all(map(math.isnan, (found.low, found.high, found.p_value, found.smallest_p)))
    assert math.isnan(image_difference(1, 0, [1.0] * 9, [0.0] * 9, 1).p_value)


def test_draws_without_a_value_are_left_out() -> None:
    whole = image_difference(1, 0, [1.0, 2.0, 3.0], [0.0] * 3, 9)
    holes = image_difference(1, 0, [1.0, math.nan, 2.0, 3.0], [0.0] * 4, 9)
    assert (holes.low, holes.high, holes.p_value) == (whole.low, whole.high, whole.p_value)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=50))
def test_the_other_way_round_it_is_the_same(values: list[float]) -> None:
    zeros = [0.0] * len(values)
    there, back = image_difference(1, 0, values, zeros, 9), image_difference(0, 1, zeros, values, 9)
    assert there.mean == -back.mean
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.p_value == back.p_value
    assert 0 < there.p_value <= 1
