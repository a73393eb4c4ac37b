"""Paired comparisons: against SciPy, against numbers worked by hand, and in the long run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from study.statistics import (
    MAX_EXACT_PAIRS,
    holm,
    paired_difference,
    pairs_needed,
    sign_flip_p,
    smallest_p,
    student_interval,
    summarise,
)

floats = st.integers(-(10**6), 10**6).map(lambda number: number / 1000)
"""Differences of sums are either rounding or far more than it."""
by_seeds = st.dictionaries(st.integers(0, 9), floats)
p_lists = st.lists(st.floats(0, 1), max_size=8)


def by_seed(values: list[float]) -> dict[int, float]:
    return dict(enumerate(values))


def test_an_arm_worked_by_hand() -> None:
    found = summarise({1: 1.0, 2: 2.0, 3: 6.0})
    assert (found.num, found.mean) == (3, 3.0)
    assert found.std == pytest.approx(math.sqrt((4 + 1 + 9) / 2))


def test_a_difference_worked_by_hand() -> None:
    found = paired_difference({1: 0.30, 2: 0.28, 3: 0.32}, {3: 0.36, 1: 0.31, 2: 0.30})
    assert found.num_pairs == 3
    assert found.mean == pytest.approx(-(0.01 + 0.02 + 0.04) / 3)
    assert found.std == pytest.approx(0.0152753, abs=1e-6)
    assert found.low == pytest.approx(found.mean - 4.302653 * found.std / math.sqrt(3), abs=1e-6)
    assert found.high == pytest.approx(found.mean + 4.302653 * found.std / math.sqrt(3), abs=1e-6)
    assert (found.p_value, found.smallest_p) == (0.25, 0.25)


@pytest.mark.parametrize("num", [2, 3, 5, 9])
def test_scipy_says_the_same(num: int) -> None:
    generator = np.random.default_rng(num)
    arm, reference = generator.normal(0.5, 1, num), generator.normal(0, 1, num)
    found = paired_difference(by_seed(list(arm)), by_seed(list(reference)))
    permuted = stats.permutation_test(
        (arm, reference),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    interval = stats.ttest_rel(arm, reference).confidence_interval(0.95)
    assert found.p_value == pytest.approx(permuted.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_many_pairs_are_drawn_at_random_and_come_close_to_the_truth() -> None:
    differences = np.random.default_rng(0).normal(0.5, 1, MAX_EXACT_PAIRS + 4)
    assert sign_flip_p(differences) == sign_flip_p(differences)
    normal = 2 * stats.norm.sf(abs(differences.sum()) / math.sqrt(float((differences**2).sum())))
    assert sign_flip_p(differences) == pytest.approx(normal, abs=0.02)
    assert sign_flip_p(np.full(MAX_EXACT_PAIRS + 4, 1.0)) >= smallest_p(MAX_EXACT_PAIRS + 4)


@given(st.lists(floats, min_size=1, max_size=8))
def test_no_p_lies_below_what_so_many_pairs_allow(differences: list[float]) -> None:
    p = sign_flip_p(differences)
    assert smallest_p(len(differences)) <= p <= 1
    assert p == sign_flip_p([-value for value in reversed(differences)])


@pytest.mark.parametrize(("num", "expected"), [(1, 1.0), (2, 0.5), (3, 0.25), (6, 0.03125)])
def test_pairs_that_all_agree_reach_the_smallest_p(num: int, expected: float) -> None:
    assert smallest_p(num) == expected
    assert sign_flip_p([1e-3 + index * 1e3 for index in range(num)]) == expected
    assert math.isnan(smallest_p(0))


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=8))
def test_rounding_breaks_no_tie(whole: list[int]) -> None:
    assert sign_flip_p([0.1 * value for value in whole]) == sign_flip_p([float(v) for v in whole])


@pytest.mark.parametrize("value", [0.0, 0.1, -7.0])
@pytest.mark.parametrize("num", [1, 3, 17])
def test_equal_arms_have_no_effect_and_p_of_1(num: int, value: float) -> None:
    found = paired_difference(by_seed([value] * num), by_seed([value] * num))
    assert (found.num_pairs, found.mean, found.p_value) == (num, 0.0, 1.0)
    if num > 1:
        assert (found.std, found.low, found.high) == (0.0, 0.0, 0.0)


@given(by_seeds, by_seeds)
def test_the_other_way_round_it_is_the_other_sign(
    arm: dict[int, float], reference: dict[int, float]
) -> None:
    there, back = paired_difference(arm, reference), paired_difference(reference, arm)
    assert there.num_pairs == back.num_pairs == len(arm.keys() & reference.keys())
    for one, other in ((there.mean, -back.mean), (there.low, -back.high), (there.high, -back.low)):
        assert one == pytest.approx(other, nan_ok=True)
    assert there.p_value == pytest.approx(back.p_value, nan_ok=True)


@given(st.permutations(range(6)))
def test_the_order_of_seeds_says_nothing(order: list[int]) -> None:
    values = {seed: math.sin(seed) for seed in range(6)}
    other = {seed: math.cos(seed) for seed in range(6)}
    shuffled = {seed: values[seed] for seed in order}
    assert paired_difference(shuffled, other) == paired_difference(values, other)
    assert summarise(shuffled).mean == pytest.approx(summarise(values).mean)


def test_seeds_without_a_finite_partner_are_left_out() -> None:
    arm = {1: 1.0, 2: math.nan, 3: 5.0, 4: math.inf, 7: 100.0}
    reference = {1: 0.0, 2: 1.0, 3: 2.0, 4: math.inf, 5: 1.0, 6: math.nan}
    assert paired_difference(arm, reference) == paired_difference({1: 1.0, 3: 5.0}, reference)
    assert summarise(arm) == summarise({1: 1.0, 3: 5.0, 7: 100.0})


def test_nothing_to_tell_is_nan() -> None:
    none = paired_difference({1: 1.0}, {2: 1.0})
    assert none.num_pairs == 0
    assert all(map(math.isnan, (none.mean, none.std, none.low, none.p_value, none.smallest_p)))
    one = paired_difference({1: 1.0}, {1: 0.5})
    assert (one.mean, one.p_value) == (0.5, 1.0)
    assert all(map(math.isnan, (one.std, one.low, one.high)))
    empty = summarise({1: math.nan})
    assert empty.num == 0
    assert all(map(math.isnan, (empty.mean, empty.std)))


def test_holm_worked_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []
    adjusted = holm([math.nan, 0.02, 0.03])
    assert math.isnan(adjusted[0])
    assert adjusted[1:] == pytest.approx([0.04, 0.04]), "a missing test does not count"


@given(p_lists)
def test_a_correction_keeps_the_order_and_never_makes_a_p_smaller(raw: list[float]) -> None:
    adjusted = holm(raw)
    assert all(p <= q <= 1 for p, q in zip(raw, adjusted, strict=True))
    ordered = [q for _, q in sorted(zip(raw, adjusted, strict=True))]
    assert ordered == sorted(ordered)
    assert holm(raw[::-1]) == adjusted[::-1]


@pytest.mark.parametrize("num_comparisons", [1, 2, 5, 12])
@pytest.mark.parametrize("alpha", [0.05, 0.0625, 0.01])
def test_so_many_pairs_are_needed_and_no_fewer(alpha: float, num_comparisons: int) -> None:
    needed = pairs_needed(alpha, num_comparisons)
    assert smallest_p(needed) * num_comparisons <= alpha < smallest_p(needed - 1) * num_comparisons


def test_without_an_effect_one_in_twenty_is_found() -> None:
    generator = np.random.default_rng(1)
    samples = generator.standard_normal((2_000, 8)) * generator.exponential(1, (2_000, 1))
    rejected = np.mean([sign_flip_p(sample) <= 0.05 for sample in samples])
    assert rejected == pytest.approx(12 / 256, abs=0.012), "12 of the 256 assignments of signs"
    covered = np.mean([low <= 0 <= high for low, high in map(student_interval, samples)])
    assert covered == pytest.approx(0.95, abs=0.015)


def test_among_many_comparisons_one_in_twenty_studies_is_misled() -> None:
    samples = np.random.default_rng(2).standard_normal((400, 4, 8))
    raw = [[sign_flip_p(sample) for sample in study] for study in samples]
    assert np.mean([min(ps) <= 0.05 for ps in raw]) > 0.1
    assert np.mean([min(holm(ps)) <= 0.05 for ps in raw]) <= 0.05 + 0.02
