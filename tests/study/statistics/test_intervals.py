"""Bootstrap intervals over seeds, and the effect size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from study.statistics import (
    bootstrap_interval,
    effect_size,
    hedges_correction,
    paired_difference,
    student_interval,
    summarise,
)

floats = st.integers(-(10**6), 10**6).map(lambda number: number / 1000)
samples = st.lists(floats, min_size=2, max_size=8)


@settings(max_examples=40, deadline=None)
@given(samples, st.randoms())
def test_an_interval_holds_the_mean_and_no_order(sample: list[float], random: object) -> None:
    low, high = bootstrap_interval(sample)
    slack = 1e-9 * max(map(abs, sample))
    assert min(sample) - slack <= low <= np.mean(sample) + slack
    assert np.mean(sample) - slack <= high <= max(sample) + slack
    assert bootstrap_interval(sample[::-1]) == (low, high)


@settings(max_examples=20, deadline=None)
@given(st.lists(floats, min_size=2, max_size=8, unique_by=abs))
def test_the_other_sign_gives_the_other_interval(sample: list[float]) -> None:
    low, high = bootstrap_interval(sample)
    back_low, back_high = bootstrap_interval([-value for value in sample])
    assert (-back_high, -back_low) == pytest.approx((low, high), abs=1e-9 * max(map(abs, sample)))


def test_scipy_says_the_same() -> None:
    sample = np.sort(np.random.default_rng(0).exponential(1, 12))
    found = stats.bootstrap(
        (sample,), np.mean, n_resamples=99_999, method="BCa",
        random_state=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert bootstrap_interval(sample) == pytest.approx((found.low, found.high), abs=0.1)


def test_two_values_span_their_interval_and_fewer_have_none() -> None:
    assert bootstrap_interval([1.0, 3.0]) == (1.0, 3.0)
    assert bootstrap_interval([2.0, 2.0, 2.0]) == (2.0, 2.0)
    assert all(map(math.isnan, bootstrap_interval([2.0])))
    assert all(map(math.isnan, bootstrap_interval([])))


def test_where_bca_is_not_defined_percentiles_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = stats.bootstrap

    def degenerate(*args: object, method: str, **kwargs: object) -> object:
        asked.append(method)
        found = real(*args, method=method, **kwargs)
        if method == "BCa":
            found.confidence_interval = type(found.confidence_interval)(math.nan, math.nan)
        return found

    monkeypatch.setattr(stats, "bootstrap", degenerate)
    sample = [1.0, 2.0, 4.0, 8.0]
    low, high = bootstrap_interval(sample)
    assert asked == ["BCa", "percentile"]
    assert 1 < low < np.mean(sample) < high < 8


def test_arms_and_differences_have_one() -> None:
    arm, reference = {1: 3.0, 2: 5.0, 3: 4.0}, {3: 1.0, 1: 1.0, 2: 1.0, 4: math.nan}
    assert summarise(arm).interval == bootstrap_interval([3.0, 4.0, 5.0])
    assert paired_difference(arm, reference).interval == bootstrap_interval([2.0, 4.0, 3.0])


def test_an_effect_worked_by_hand() -> None:
    assert hedges_correction(3) == pytest.approx(1 / math.sqrt(math.pi))
    assert effect_size([1.0, 2.0, 3.0]) == pytest.approx(2 / math.sqrt(math.pi))
    assert hedges_correction(11) == pytest.approx(1 - 3 / (4 * 10 - 1), abs=1e-3), (
        "as is often used"
    )
    assert paired_difference({1: 1.0, 2: 2.0, 3: 3.0}, dict.fromkeys((1, 2, 3), 0.0)).effect == (
        effect_size([1.0, 2.0, 3.0])
    )


@given(st.lists(floats, min_size=3, max_size=8), st.floats(0.1, 10))
def test_an_effect_has_no_unit_and_the_sign_of_the_mean(sample: list[float], unit: float) -> None:
    found = effect_size(sample)
    assert effect_size([-value for value in sample]) == pytest.approx(-found)
    if math.isfinite(found):
        assert effect_size([unit * value for value in sample]) == pytest.approx(found, rel=1e-6)
        plain = abs(np.mean(sample)) / np.std(sample, ddof=1) if len(set(sample)) > 1 else 0.0
        assert abs(found) <= plain + 1e-12


def test_an_effect_without_spread_or_pairs() -> None:
    assert effect_size([0.1, 0.1, 0.1]) == math.inf
    assert effect_size([0.3 - 0.1, 0.4 - 0.2, 0.5 - 0.3]) == math.inf, "the rest is rounding"
    assert effect_size([-2.0] * 4) == -math.inf
    assert effect_size([0.0] * 4) == 0.0
    assert math.isnan(effect_size([1.0, 2.0]))


def test_the_correction_takes_away_what_few_pairs_overstate() -> None:
    generator = np.random.default_rng(0)
    found = [effect_size(1 + generator.standard_normal(6)) for _ in range(4_000)]
    assert np.mean(found) == pytest.approx(1.0, abs=0.04)


def test_few_values_make_a_bootstrap_narrower_than_students_interval() -> None:
    generator = np.random.default_rng(0)
    widths = [
        [high - low for low, high in (bootstrap_interval(x), student_interval(x))]
        for x in generator.standard_normal((20, 5))
    ]
    assert np.mean([bootstrap < student for bootstrap, student in widths]) > 0.9
