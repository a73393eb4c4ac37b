"""What an arm's search consists of, counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.budget import applies, contains, grid_points, num_search_trials, values_of
from study.search_language import Parameter
from tests.study.ledgers import told_space

FLIP = {"type": "categorical", "choices": [0.0, 0.5]}
STEPS = {"type": "int", "low": 1, "high": 3}


def parameter(**fields: Any) -> Parameter:
    return Parameter.model_validate(fields)


def searching(space: dict[str, Any], trials: int = 50, sampler: str = "grid") -> dict[str, Any]:
    return {"trials_per_arm": trials, "sampler": {"name": sampler}, "space": space}


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ({"type": "bool"}, [False, True]),
        ({"type": "categorical", "choices": ["b", "a", [1]]}, ["b", "a", [1]]),
        ({"type": "int", "low": 2, "high": 5}, [2, 3, 4, 5]),
        ({"type": "int", "low": 2, "high": 9, "step": 3}, [2, 5, 8]),
        ({"type": "float", "low": 0.1, "high": 0.7, "step": 0.1},
         [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]),
        ({"type": "float", "low": -1, "high": 1, "step": 0.75}, [-1, -0.25, 0.5]),
        ({"type": "float", "low": 1e-5, "high": 5e-5, "step": 2e-5}, [1e-5, 3e-5, 5e-5]),
    ],
)  # fmt: skip
def test_values_are_those_that_were_written(fields: dict[str, Any], values: list[Any]) -> None:
    found = values_of(parameter(**fields))
    assert found == values
    assert fields["type"] != "int" or {type(value) for value in found} == {int}


thousandths = st.integers(-3000, 3000).map(lambda number: number / 1000)


@given(thousandths, st.integers(1, 900).map(lambda n: n / 1000), st.integers(1, 40))
def test_a_grid_reaches_its_end_and_goes_no_further(low: float, step: float, num: int) -> None:
    high = round(low + num * step, 6)
    found = parameter(type="float", low=low, high=high, step=step)
    values = values_of(found)
    assert len(values) == found.num_values() == num + 1
    assert (values[0], values[-1]) == (low, high)
    assert all(contains(found, value) for value in values)
    assert not contains(found, high + step)
    assert not contains(found, low + step / 3)


@pytest.mark.parametrize(
    ("fields", "value", "expected"),
    [
        ({"type": "float", "low": 0, "high": 1}, 1, True),
        ({"type": "float", "low": 0, "high": 1}, 0.123, True),
        ({"type": "float", "low": 0, "high": 1}, 1.001, False),
        ({"type": "float", "low": 0, "high": 1}, "0.5", False),
        ({"type": "float", "low": 0, "high": 1}, None, False),
        ({"type": "int", "low": 0, "high": 9}, 3, True),
        ({"type": "int", "low": 0, "high": 9}, 3.5, False),
        ({"type": "int", "low": 0, "high": 9, "step": 4}, 6, False),
        ({"type": "categorical", "choices": ["a", None, ["b"]]}, None, True),
        ({"type": "categorical", "choices": ["a", None, ["b"]]}, ["b"], True),
        ({"type": "categorical", "choices": ["a", None, ["b"]]}, "b", False),
        ({"type": "bool"}, True, True),
        ({"type": "bool"}, "yes", False),
    ],
)  # fmt: skip
def test_a_value_lies_within_the_space_or_not(
    fields: dict[str, Any], value: Any, expected: bool
) -> None:
    assert contains(parameter(**fields), value) is expected


def test_a_condition_holds_for_the_value_or_for_any_of_a_list() -> None:
    one = parameter(type="bool", when={"name": "dwa"})
    any_of = parameter(type="bool", when={"name": ["dwa", "equal"], "other": 1})
    assert applies(one, {"name": "dwa"})
    assert not applies(one, {"name": "equal"})
    assert not applies(one, {}), "what it depends on is not searched there"
    assert applies(any_of, {"name": "equal", "other": 1})
    assert not applies(any_of, {"name": "equal", "other": 2})


def test_a_grid_has_each_point_once_and_changes_the_last_parameter_fastest() -> None:
    points = grid_points(
        {
            "norm": parameter(type="categorical", choices=["l1", "l2"]),
            "area": parameter(type="int", low=1, high=2, when={"norm": "l1"}),
            "mask": parameter(type="bool", when={"area": 2}),
        }
    )
    assert points == [
        {"norm": "l1", "area": 1},
        {"norm": "l1", "area": 2, "mask": False},
        {"norm": "l1", "area": 2, "mask": True},
        {"norm": "l2"},
    ]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (None, {"a": 0, "b": 0}),
        (searching({}), {"a": 1, "b": 1}),
        (searching({}, 50, "tpe"), {"a": 1, "b": 1}),
        (searching({"epochs": STEPS, "augmentation.flip": FLIP}), {"a": 6, "b": 6}),
        (searching({"epochs": STEPS, "augmentation.flip": FLIP}, 4), {"a": 4, "b": 4}),
        (searching({"epochs": STEPS}, 50, "tpe"), {"a": 50, "b": 50}),
        (searching({"epochs": {**STEPS, "when": {"weighting.name": "dwa"}}}), {"a": 1, "b": 3}),
    ],
)  # fmt: skip
def test_arms_get_the_budget_or_as_many_as_there_are_to_try(
    search: dict[str, Any] | None, expected: dict[str, int]
) -> None:
    space = told_space(search=search, arms={"a": {}, "b": {"set": {"weighting.name": "dwa"}}})
    assert {arm: num_search_trials(space, arm) for arm in space.arms} == expected
