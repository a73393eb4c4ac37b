"""Intervals for new seeds and new images."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.statistics import image_interval, replicate_interval, seed_widening, student_interval
from study.statistics.intervals import Interval
from study.statistics.samples import Array
from tests.study.statistics.simulated import crossed

seeds_and_noise = st.tuples(st.integers(3, 8), st.integers(0, 99))


def by_seed(values: Array) -> dict[int, Array]:
    return dict(enumerate(values))


def over_zero(differences: Array) -> Interval:
    return image_interval(by_seed(differences), by_seed(np.zeros_like(differences)))


def width(interval: Interval) -> float:
    return interval[1] - interval[0]


def percentile_interval(means: Array) -> Interval:
    """The plain bootstrap over seeds."""
    drawn = np.random.default_rng(0).choice(means, (10_000, len(means))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


@settings(max_examples=30, deadline=None)
@given(seeds_and_noise)
def test_it_is_no_narrower_than_over_seeds_alone_and_holds_the_mean(
    case: tuple[int, int],
) -> None:
    num_seeds, state = case
    generator = np.random.default_rng(state)
    differences = crossed(generator, num_seeds, 30, (1.0, 2.0, 1.0))
    low, high = over_zero(differences)
    assert low <= differences.mean() <= high
    assert high - low >= 0.95 * width(percentile_interval(differences.mean(axis=1)))


@pytest.mark.parametrize("num_seeds", [5, 10, 20])
def test_noise_of_images_widens_it(num_seeds: int) -> None:
    generator = np.random.default_rng(num_seeds)
    differences = crossed(generator, num_seeds, 40, (1.0, 0.0, 0.0))
    noise = crossed(generator, num_seeds, 40, (0.0, 20.0, 0.0))
    assert width(over_zero(differences + noise)) > 2 * width(over_zero(differences))


@pytest.mark.parametrize("num_seeds", [4, 8, 20])
def test_where_images_say_nothing_it_is_about_students(num_seeds: int) -> None:
    means = np.random.default_rng(num_seeds).standard_normal(num_seeds)
    differences = np.tile(means[:, None], (1, 25))
    assert width(over_zero(differences)) == pytest.approx(width(student_interval(means)), rel=0.15)


def test_where_seeds_say_nothing_it_is_the_spread_of_a_mean_over_images() -> None:
    values = np.random.default_rng(0).standard_normal(400)
    low, high = over_zero(np.tile(values, (5, 1)))
    reach = 1.96 * values.std() / math.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=0.01)


def test_images_that_are_hard_for_both_arms_cancel() -> None:
    generator = np.random.default_rng(0)
    hard = 10 * generator.standard_normal(50)
    reference = hard + 0.1 * generator.standard_normal((5, 50))
    assert width(image_interval(by_seed(reference + 1), by_seed(reference))) < 1e-9


def test_replicates_of_a_mean_give_what_its_images_give() -> None:
    generator = np.random.default_rng(0)
    arm, reference = generator.standard_normal((2, 6, 80)) + generator.standard_normal(80)
    draws = generator.integers(0, 80, (2_000, 80))
    replicates = [{s: each[s][draws].mean(axis=1) for s in range(6)} for each in (arm, reference)]
    found = replicate_interval(*replicates)
    assert found == pytest.approx(image_interval(by_seed(arm), by_seed(reference)), abs=0.05)


@given(st.permutations(range(5)))
@settings(max_examples=10, deadline=None)
def test_neither_order_nor_names_of_seeds_say_anything(order: list[int]) -> None:
    generator = np.random.default_rng(0)
    arm, reference = generator.standard_normal((2, 5, 20))
    plain = image_interval(by_seed(arm), by_seed(reference))
    named = [{7 * seed: each[seed] for seed in order} for each in (arm, reference)]
    assert image_interval(*named) == plain
    other = [{order[seed]: each[seed] for seed in range(5)} for each in (arm, reference)]
    assert image_interval(*other) == pytest.approx(plain)


def test_the_other_way_round_it_is_the_other_sign() -> None:
    generator = np.random.default_rng(0)
    arm, reference = generator.standard_normal((2, 6, 50))
    low, high = image_interval(by_seed(arm), by_seed(reference))
    back = image_interval(by_seed(reference), by_seed(arm))
    assert (-back[1], -back[0]) == pytest.approx((low, high))


def test_only_seeds_that_both_have_count() -> None:
    arm, reference = np.random.default_rng(0).standard_normal((2, 4, 20))
    few = {seed: arm[seed] for seed in (0, 1, 2)}
    assert image_interval({**few, 9: arm[3]}, by_seed(reference)) == image_interval(
        few, {seed: reference[seed] for seed in (0, 1, 2)}
    )


def test_with_one_seed_or_one_image_there_is_none() -> None:
    one = {1: [0.1, 0.2, 0.3]}
    for found in (
        image_interval(one, one),
        image_interval({}, one),
        image_interval({1: [0.1], 2: [0.2]}, {1: [0.1], 2: [0.2]}),
        replicate_interval(one, one),
        replicate_interval({1: [], 2: []}, {1: [], 2: []}),
    ):
        assert all(map(math.isnan, found))


def test_draws_without_a_value_are_left_out_until_they_are_the_most() -> None:
    arm, reference = np.random.default_rng(0).standard_normal((2, 3, 100))
    gaps = arm.copy()
    gaps[1, :40] = math.nan
    kept = replicate_interval(by_seed(arm[:, 40:]), by_seed(reference[:, 40:]))
    assert replicate_interval(by_seed(gaps), by_seed(reference)) == pytest.approx(kept)
    gaps[2, 30:60] = math.inf
    assert all(map(math.isnan, replicate_interval(by_seed(gaps), by_seed(reference))))


def test_other_numbers_of_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"as many values .* found \[2, 3\]"):
        image_interval({1: [1.0, 2.0]}, {1: [1.0, 2.0, 3.0]})


def test_the_widening_worked_by_hand() -> None:
    assert seed_widening(5) == pytest.approx(math.sqrt(5 / 4) * 2.776445 / 1.959964, abs=1e-5)
    assert seed_widening(10_000) == pytest.approx(1, abs=1e-3)
