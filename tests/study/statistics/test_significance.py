"""Exact tests: against SciPy, against numbers worked by hand, and what few pairs can give."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from study.statistics import (
    MAX_EXACT_PAIRS,
    TESTS,
    TestName,
    is_exact,
    p_value,
    paired_difference,
    pairs_needed,
    smallest_p,
    wilcoxon_p,
)

whole = st.lists(st.integers(-9, 9), min_size=1, max_size=9)
tests = st.sampled_from(list(TESTS))


@pytest.mark.parametrize("num", [2, 5, 9, 20, 40])
def test_scipy_says_the_same_where_there_are_no_ties(num: int) -> None:
    differences = np.random.default_rng(num).normal(0.4, 1, num)
    exact = stats.wilcoxon(differences, method="exact").pvalue
    assert wilcoxon_p(differences) == pytest.approx(exact)


def test_signed_ranks_worked_by_hand() -> None:
    assert wilcoxon_p([1.0, 2.0, 3.0, 4.0, -0.5]) == 4 / 32, "sums of 0 and 1 of the 32, twice"
    assert wilcoxon_p([1.0, 2.0, -3.0]) == 1.0
    assert wilcoxon_p([2.0, 2.0, -2.0]) == 1.0, "ranks 2, 2, 2: sums of 0 or 2 are 4 of 8"
    assert wilcoxon_p([1.0, 1.0, 1.0, 0.0]) == 2 / 8, "a zero is left out"


@given(whole)
def test_ties_are_judged_by_all_assignments_of_signs_to_their_ranks(values: list[int]) -> None:
    found = np.array([value for value in values if value], dtype=float)
    if len(found) == 0:
        assert wilcoxon_p([float(value) for value in values]) == 1.0
        return
    ranks = np.sign(found) * stats.rankdata(np.abs(found))
    assert wilcoxon_p([0.1 * value for value in values]) == pytest.approx(
        p_value(ranks, "permutation")
    ), "0.1 * 3 is not 0.3, and yet a tie"


@given(whole, tests, st.randoms())
def test_neither_order_nor_sign_nor_unit_says_anything(
    values: list[int], test: TestName, random: object
) -> None:
    differences = [float(value) for value in values]
    found = p_value(differences, test)
    assert p_value(differences[::-1], test) == pytest.approx(found)
    assert p_value([-value for value in differences], test) == pytest.approx(found)
    assert p_value([1e-3 * value for value in differences], test) == pytest.approx(found)
    assert smallest_p(len(differences), test) - 1e-12 <= found <= 1


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("num", [1, 3, 5, 6, 16])
def test_pairs_that_all_agree_reach_the_smallest_p(num: int, test: TestName) -> None:
    assert p_value([1.0 + index for index in range(num)], test) == smallest_p(num, test)
    assert smallest_p(5, test) == 0.0625, "five pairs never reach 0.05"


@pytest.mark.parametrize("test", TESTS)
def test_without_pairs_there_is_no_p(test: TestName) -> None:
    assert math.isnan(p_value([], test))
    assert math.isnan(smallest_p(0, test))
    assert p_value([0.0, 0.0], test) == 1.0


def test_wilcoxon_is_exact_for_any_number_of_pairs() -> None:
    many = MAX_EXACT_PAIRS + 4
    assert is_exact(many, "wilcoxon")
    assert not is_exact(many, "permutation")
    assert smallest_p(many, "wilcoxon") == 2.0 ** (1 - many)
    assert wilcoxon_p(range(1, many + 1)) == pytest.approx(2.0 ** (1 - many))


def test_one_large_difference_leads_sums_astray_and_ranks_less() -> None:
    differences = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, -100.0]
    assert p_value(differences, "permutation") > 0.9
    assert p_value(differences, "wilcoxon") < p_value(differences, "permutation")


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("num_comparisons", [1, 4, 20, 300])
def test_so_many_pairs_are_needed_and_no_fewer(num_comparisons: int, test: TestName) -> None:
    needed = pairs_needed(0.05, num_comparisons)
    assert smallest_p(needed, test) * num_comparisons <= 0.05
    assert smallest_p(needed - 1, test) * num_comparisons > 0.05


def test_a_difference_says_where_its_p_is_from() -> None:
    arm = dict(enumerate([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, -100.0]))
    zero = dict.fromkeys(arm, 0.0)
    found = paired_difference(arm, zero, "wilcoxon")
    assert (found.test, found.p_value) == ("wilcoxon", wilcoxon_p(list(arm.values())))
    assert paired_difference(arm, zero).test == "permutation"


def test_a_test_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="among permutation, wilcoxon, found 't'"):
        p_value([1.0], "t")  # type: ignore[arg-type]
