"""Errors of depth, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mtdepth.metrics.errors import correlation, seven_metrics, within


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


def test_too_near_is_as_wrong_as_too_far() -> None:
    true, factors = np.full(4, 8.0), np.array([1.2, 1 / 1.2, 1.3, 1 / 1.3])
    assert within(true * factors, true, 1.25) == 0.5
    assert math.isnan(within(true * math.nan, true, 1.25))


def test_correlation_by_hand() -> None:
    rising = np.array([0.0, 1.0, 2.0])
    assert correlation(rising, 3 * rising - 7) == pytest.approx(1)
    assert correlation(rising, -rising) == pytest.approx(-1)
    assert correlation(rising, np.array([0.0, 1.0, 0.0])) == pytest.approx(0)
    assert correlation(rising, np.full(3, 2.0)) == 0
