"""Numbers as a reader wants them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.report.numbers import (
    duration,
    effect,
    gain,
    interval,
    mean_and_std,
    number,
    p_is,
    p_value,
    signed,
    span,
)
from study.statistics import summarise


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.0000"), (0.31249, "0.312"), (0.0123456, "0.0123"), (1.0, "1.000"),
        (9.87654, "9.877"), (12.3456, "12.35"), (123.456, "123.5"), (-0.5, "-0.500"),
        (99_999.0, "99999.0"), (100_000.0, "1.00e+05"), (0.000123, "1.23e-04"),
        (0.005859375, "0.00586"), (math.nan, "—"), (math.inf, "—"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_or_so(value: float, shown: str) -> None:
    assert number(value) == shown


@given(st.floats(-1e300, 1e300))
def test_what_is_shown_is_near_what_is_meant(value: float) -> None:
    shown = number(value)
    assert len(shown) <= 10
    assert float(shown) == pytest.approx(value, rel=6e-3)
    assert signed(value).startswith("+") == (value > 0)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.302, 0.322], "0.312 ± 0.014"),
        ([0.31201, 0.31205], "0.312 ± 2.83e-05"),
        ([0.3, 0.3], "0.300 ± 0.000"),
        ([12.0, 14.0], "13.00 ± 1.41"),
        ([0.01, 0.03], "0.0200 ± 0.0141"),
        ([1e-5, 3e-5], "2.00e-05 ± 1.41e-05"),
        ([0.25], "0.250"),
        ([], "—"),
    ],
)
def test_a_mean_and_its_spread_have_the_same_decimals(values: list[float], shown: str) -> None:
    assert mean_and_std(summarise(dict(enumerate(values)))) == shown


def test_an_interval_has_signs() -> None:
    assert interval(-0.01, 0.03) == "-0.0100 to +0.0300"
    assert interval(math.nan, math.nan) == "—"
    assert signed(0.0) == "0.0000"
    assert span(-0.01, 0.03) == "-0.0100 to 0.0300"
    assert span(math.nan, math.nan) == "—"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.234, "+1.23"), (-0.5, "-0.50"), (math.inf, "+∞"), (-math.inf, "-∞"), (math.nan, "—")],
)
def test_effects_have_a_sign(value: float, shown: str) -> None:
    assert effect(value) == shown


@pytest.mark.parametrize(
    ("values", "shown"), [([], "—"), ([3.0], "+3.00"), ([-1.0, -3.0], "-2.00 ± 1.41")]
)
def test_gains_have_a_sign(values: list[float], shown: str) -> None:
    assert gain(summarise(dict(enumerate(values)))) == shown


@pytest.mark.parametrize(
    ("value", "shown", "said"),
    [
        (1.0, "1.000", "p = 1.000"),
        (0.25, "0.250", "p = 0.250"),
        (0.001, "0.001", "p = 0.001"),
        (0.0004, "< 0.001", "p < 0.001"),
        (math.nan, "—", "p = —"),
    ],
)
def test_p_values(value: float, shown: str, said: str) -> None:
    assert (p_value(value), p_is(value)) == (shown, said)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (42.4, "42 s"), (89, "89 s"), (90, "1.5 min"), (210, "3.5 min"),
     (4320, "72.0 min"), (5400, "1.5 h"), (360_000, "100.0 h")],
)  # fmt: skip
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
