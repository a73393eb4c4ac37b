"""What is measured for the most GPU memory that a trial may take."""

from __future__ import annotations

from typing import Any

import pytest

from study import largest
from study.nesting import value_at
from study.space import Space
from tests.study.simulated import simulated_space


def searching(**parameters: Any) -> dict[str, Any]:
    return {"trials_per_arm": 3, "space": {k.replace("__", "."): v for k, v in parameters.items()}}


def largest_trials(space: Space) -> dict[str, Any]:
    """Of all arms."""
    found = [largest.largest_trials(space, arm) for arm in space.arms]
    return {name: config for one in found for name, config in one.items()}


LR = {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}


def test_an_arm_that_searches_nothing_of_the_kind_is_itself() -> None:
    space = simulated_space(search=searching(optimizer__lr=LR, epochs={
        "type": "int", "low": 1, "high": 9}))  # fmt: skip
    found = largest_trials(space)
    assert found == {arm: space.arm_config(arm) for arm in ("equal", "dwa")}
    assert set(largest_trials(simulated_space(search=None, confirm={"seeds": [1]}))) == set(found)


@pytest.mark.parametrize(
    "parameter",
    [
        {"type": "int", "low": 2, "high": 32, "step": 10},
        {"type": "categorical", "choices": [8, 32, 16]},
    ],
)
def test_a_number_is_measured_at_its_greatest(parameter: dict[str, Any]) -> None:
    greatest = 32
    found = largest_trials(simulated_space(["equal"], search=searching(batch_size=parameter)))
    assert list(found) == [f"equal (batch_size {greatest})"]
    assert [config["batch_size"] for config in found.values()] == [greatest]


def test_anything_else_is_measured_at_each_value() -> None:
    space = simulated_space(
        search=searching(
            data__height={"type": "int", "low": 64, "high": 192, "step": 32},
            attention={"type": "categorical", "choices": ["none", "encoder"]},
            evaluation__flip={"type": "bool"},
            weighting__temperature={
                "type": "float", "low": 1, "high": 4, "when": {"weighting.name": "dwa"}
            },
        )
    )  # fmt: skip
    found = largest_trials(space)
    assert len(found) == 2 * 4
    assert {value_at(config, "data.height") for config in found.values()} == {192}
    assert "dwa (data.height 192, attention none, evaluation.flip False)" in found


def test_an_arm_that_takes_no_part_in_the_search_is_measured_as_it_is_set() -> None:
    space = simulated_space(
        arms=["equal"], search=searching(batch_size={"type": "int", "low": 2, "high": 8})
    )
    still = space.arms["equal"].model_copy(update={"search": False})
    space = space.model_copy(update={"arms": {**space.arms, "still": still}})
    assert list(largest_trials(space)) == ["equal (batch_size 8)", "still"]


def test_too_many_kinds_are_refused_in_a_line() -> None:
    names = ["equal", "gls", "rlw", "famo", "dwa"]
    space = simulated_space(
        search=searching(
            weighting__name={"type": "categorical", "choices": names},
            attention={"type": "categorical", "choices": ["none", "encoder"]},
            pose__encoder={"type": "categorical", "choices": ["shared", "attended"]},
        ),
        arms=["equal"],
    )  # fmt: skip
    loose = {"equal": space.arms["equal"].model_copy(update={"set": {}})}
    with pytest.raises(
        ValueError, match=r"^resources\.gpus: auto: expected at most 16 kinds .* 20 "
    ):
        largest_trials(space.model_copy(update={"arms": loose}))
