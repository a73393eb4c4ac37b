"""What may be claimed, and what the seeds cannot carry."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.statistics import TESTS, Claim, TestName, decide, paired_difference, pairs_needed


def claim(
    differences: list[float], p_adjusted: float, num: int = 1, test: TestName = "permutation"
) -> Claim:
    values = dict(enumerate(differences))
    return decide(paired_difference(values, dict.fromkeys(values, 0.0), test), p_adjusted, num)


@pytest.mark.parametrize("test", TESTS)
def test_five_pairs_are_refused_and_six_are_not(test: TestName) -> None:
    assert claim([1.0] * 5, 0.0625, 1, test) == Claim(verdict="hint", num_needed=6)
    assert claim([1.0] * 6, 0.03125, 1, test) == Claim(verdict="claim", num_needed=None)
    assert claim([1.0] * 6, 4 * 0.03125, 4, test) == Claim(verdict="hint", num_needed=8)


def test_pairs_that_disagree_are_no_hint() -> None:
    assert claim([1.0, 2.0, -1.0], 1.0) == Claim(verdict="none", num_needed=6)


def test_enough_pairs_that_show_nothing_may_be_chance() -> None:
    assert claim([1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 7.0], 0.8) == Claim(
        verdict="none", num_needed=None
    )


def test_a_p_that_others_have_made_small_enough_is_a_claim() -> None:
    found = claim([1.0] * 6, 0.03125, 2)
    assert found.verdict == "claim", "the second of Holm's steps, after one of many pairs"


def test_without_pairs_nothing_is_claimed() -> None:
    assert claim([], math.nan) == Claim(verdict="none", num_needed=6)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9), st.integers(1, 30))
def test_no_claim_without_the_pairs_for_it(values: list[int], num: int) -> None:
    differences = [float(value) for value in values]
    p = paired_difference(dict(enumerate(differences)), dict.fromkeys(range(9), 0.0)).p_value
    found = claim(differences, min(1.0, num * p), num)
    enough = len(values) >= pairs_needed(0.05, num)
    assert (found.num_needed is None) == enough
    if not enough:
        assert found.verdict != "claim"
