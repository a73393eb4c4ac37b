"""What statistics promise in the long run, by thousands of simulated studies.

The tables of `docs/statistics.md` are what these tests print:
`python -m pytest tests/study/statistics/test_long_run.py -m slow -s`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from study.statistics import (
    Interval,
    TestName,
    bootstrap_interval,
    hierarchical,
    image_interval,
    pairs_needed,
    student_interval,
)
from study.statistics.samples import Array
from study.words import counted
from tests.study.statistics.simulated import (
    DISTRIBUTIONS,
    TESTS,
    crossed,
    false_claim_rates,
    powers,
    skewed_claim_rate,
)

FAMILY = (1, 4, 20)
PAIRS = (3, 5, 6, 8, 10, 15, 20)
EFFECTS = (0.5, 1.0, 1.5, 2.0, 3.0)


def error(rate: float, num: int) -> float:
    """Three standard errors of a rate among so many studies."""
    return 3 * math.sqrt(rate * (1 - rate) / num)


def say(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """Prints a table in Markdown."""
    print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def per_cent(rate: float) -> str:
    return f"{100 * rate:.1f}"


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_no_more_than_one_study_in_twenty_claims_what_is_not_there(
    name: str, test: TestName
) -> None:
    rates = false_claim_rates(name, 8, test, num_studies=1_000, family=(1, 4))
    assert max(rates.values()) <= 0.05 + error(0.05, 1_000)
    assert rates[1] > 0, "and it does claim something"
    assert false_claim_rates(name, 5, test, num_studies=50, family=(1, 4)) == {1: 0, 4: 0}


@pytest.mark.slow
def test_false_claims_stay_at_5_per_cent() -> None:
    num_studies, rows = 5_000, []
    for name in DISTRIBUTIONS:
        for pairs in (5, 8, 10, 20):
            row = [name, str(pairs)]
            for test in TESTS:
                rates = false_claim_rates(name, pairs, test, num_studies, FAMILY)
                assert max(rates.values()) <= 0.05 + error(0.05, num_studies)
                row += map(per_cent, rates.values())
            rows.append(row)
    heads = [f"{test}, {num}" for test in TESTS for num in FAMILY]
    say("Studies with a false claim, %", ["values", "pairs", *heads], rows)
    skewed = [
        [str(pairs), *(per_cent(skewed_claim_rate(pairs, test, 10_000)) for test in TESTS)]
        for pairs in (6, 8, 10, 20)
    ]
    say("The same of one skewed difference, %", ["pairs", *TESTS], skewed)


@pytest.mark.slow
def test_power_grows_with_effect_and_pairs() -> None:
    num_studies = 2_000
    tables = {
        (test, effect, pairs): powers(effect, pairs, test, num_studies, FAMILY)
        for test in TESTS
        for effect in EFFECTS
        for pairs in PAIRS
    }
    for num in FAMILY:
        rows = [
            [
                f"{effect:g}",
                *(
                    " / ".join(f"{100 * tables[test, effect, pairs][num]:.0f}" for test in TESTS)
                    for pairs in PAIRS
                ),
            ]
            for effect in EFFECTS
        ]
        title = f"Power, {' / '.join(TESTS)}, %: {counted(num, 'comparison')}"
        say(title, ["d_z", *(f"{pairs} pairs" for pairs in PAIRS)], rows)
    for (test, effect, pairs), found in tables.items():
        for num, power in found.items():
            if pairs < pairs_needed(0.05, num):
                assert power == 0
            weaker = tables.get((test, effect - 0.5, pairs), {}).get(num, 0)
            assert power >= weaker - 0.05
    assert tables["permutation", 1.0, 15][1] > 0.9


def coverage(num: int, one: Callable[[], Interval]) -> float:
    """How often an interval holds 0, the truth."""
    return float(np.mean([low <= 0 <= high for low, high in (one() for _ in range(num))]))


@pytest.mark.slow
def test_how_often_intervals_over_seeds_hold_the_truth() -> None:
    num, rows = 2_000, []
    for name, draw in DISTRIBUTIONS.items():
        for pairs in (3, 5, 8, 10, 20):
            row = []
            for interval in (student_interval, bootstrap_interval):
                generator = np.random.default_rng(pairs)
                one = lambda: interval(draw(generator, (pairs,)))  # noqa: B023, E731
                row.append(coverage(num, one))
            rows.append([name, str(pairs), *map(per_cent, row)])
            if name != "skewed":
                assert row[0] >= 0.95 - error(0.95, num)
            assert row[1] >= 0.6
    heads = ["differences", "pairs", "Student", "bootstrap"]
    say("Intervals over seeds that hold the truth, %", heads, rows)


@pytest.mark.slow
def test_how_often_intervals_for_new_images_hold_the_truth() -> None:
    num, rows = 1_000, []
    for title, spreads in (
        ("seeds", (1.0, 0.0, 1.0)),
        ("seeds and images", (1.0, 7.0, 3.0)),
        ("images", (0.2, 10.0, 3.0)),
    ):
        for seeds in (3, 5, 10, 20):
            found = []
            for interval in (over_seeds, not_widened, over_both):
                generator = np.random.default_rng(seeds)
                one = lambda: interval(crossed(generator, seeds, 50, spreads))  # noqa: B023, E731
                found.append(coverage(num, one))
            rows.append([title, str(seeds), *map(per_cent, found)])
            assert found[2] >= 0.90
    heads = ["noise of", "seeds", "Student over seeds", "not widened", "seeds and images"]
    say("Intervals that hold the truth of all images, %", heads, rows)


def over_seeds(differences: Array) -> Interval:
    return student_interval(differences.mean(axis=1))


def over_both(differences: Array) -> Interval:
    zero = np.zeros(differences.shape[1])
    return image_interval(
        dict(enumerate(differences)), dict.fromkeys(range(len(differences)), zero)
    )


def not_widened(differences: Array) -> Interval:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hierarchical, "seed_widening", lambda num_seeds: 1.0)
        return over_both(differences)
