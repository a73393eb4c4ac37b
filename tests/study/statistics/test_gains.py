"""What learning together gains, in per cent by seed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.statistics import TaskValues, multi_task_gain, relative_gain

positive = st.dictionaries(st.integers(0, 5), st.floats(0.01, 100), min_size=1)


def task(
    together: dict[int, float], alone: dict[int, float], *, higher: bool = False
) -> TaskValues:
    return TaskValues(together=together, alone=alone, higher_is_better=higher)


def test_a_gain_worked_by_hand() -> None:
    depth = task({1: 0.09, 2: 0.11}, {1: 0.10, 2: 0.10})
    instances = task({1: 0.6, 2: 0.5}, {1: 0.5, 2: 0.5}, higher=True)
    assert relative_gain(depth) == pytest.approx({1: 10.0, 2: -10.0})
    assert relative_gain(instances) == pytest.approx({1: 20.0, 2: 0.0})
    gain = multi_task_gain({"depth": depth, "instances": instances})
    assert gain == pytest.approx({1: 15.0, 2: -5.0})


def test_seeds_that_a_task_lacks_are_left_out() -> None:
    depth = task({1: 1.0, 2: 1.0, 3: math.nan}, {1: 2.0, 2: 2.0, 3: 2.0, 4: 2.0})
    instances = task({2: 1.0, 3: 1.0}, {2: 0.5, 3: 0.5}, higher=True)
    assert multi_task_gain({"depth": depth, "instances": instances}) == {2: 75.0}
    assert multi_task_gain({}) == {}


def test_over_an_arm_that_reached_nothing_there_is_no_gain() -> None:
    assert relative_gain(task({1: 1.0, 2: 1.0}, {1: 0.0, 2: 0.5}, higher=True)) == {2: 100.0}


@given(positive, st.booleans())
def test_the_same_values_gain_nothing(values: dict[int, float], higher: bool) -> None:
    same = task(values, values, higher=higher)
    assert multi_task_gain({"a": same, "b": same}) == dict.fromkeys(sorted(values), 0.0)


@given(positive, positive, st.floats(0.1, 10))
def test_a_gain_has_no_unit_and_the_other_direction_the_other_sign(
    together: dict[int, float], alone: dict[int, float], unit: float
) -> None:
    found = relative_gain(task(together, alone))
    scaled = task(
        {s: unit * v for s, v in together.items()}, {s: unit * v for s, v in alone.items()}
    )
    assert relative_gain(scaled) == pytest.approx(found, abs=1e-6)
    other = relative_gain(task(together, alone, higher=True))
    assert other == pytest.approx({seed: -gain for seed, gain in found.items()})
