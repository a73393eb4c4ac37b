"""What a study would run, in numbers and in words."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from study.plan import Plan, describe, make_plan, render
from study.search_language import Parameter
from study.space import Space
from study.words import counted
from tests.study.ledgers import told_space

LR = {"type": "float", "low": 1e-4, "high": 1e-2, "log": True}
TEMPERATURE = {"type": "float", "low": 1, "high": 4, "when": {"weighting.name": "dwa"}}


def weighed() -> Space:
    """A study of three arms that search different things for different ends."""
    return told_space(
        base={"epochs": 4},
        arms={
            "st-depth": {"set": {"tasks": ["depth"]}},
            "st-instances": {
                "set": {"tasks": ["instances"]},
                "objective": {"metric": "val/instances/ap50", "mode": "max"},
            },
            "mt-dwa": {"set": {"weighting": {"name": "dwa"}}},
        },
        search={
            "trials_per_arm": 2,
            "space": {"optimizer.lr": LR, "weighting.temperature": TEMPERATURE},
        },
        scheduler={"name": "asha"},
        compare={"baseline": "st-depth", "metrics": ["test/depth/abs_rel", "test/depth/a1"]},
    )


def words(plan: Plan) -> str:
    """The plan as a terminal shows it, each run of blanks as one."""
    out = StringIO()
    Console(file=out, width=120, highlight=False).print(render(plan))
    return " ".join(out.getvalue().split())


def test_every_arm_gets_the_same_number_of_trainings_and_the_sum_is_the_plan() -> None:
    plan = make_plan(weighed())
    assert {(arm.num_search, arm.num_confirm) for arm in plan.arms} == {(2, 3)}
    assert plan.num_trials == sum(arm.num_trials for arm in plan.arms) == 3 * 5
    assert plan.max_epochs == sum(arm.max_epochs for arm in plan.arms) == 3 * 5 * 4


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (None, 4),
        ({"type": "int", "low": 1, "high": 9}, 9),
        ({"type": "int", "low": 1, "high": 9, "step": 3}, 7),
        ({"type": "int", "low": 1, "high": 10**12}, 10**12),
        ({"type": "categorical", "choices": [1, 5, 3]}, 5),
        ({"type": "categorical", "choices": [1, 2]}, 2),
        ({"type": "categorical", "choices": [1, 2], "when": {"depth.automask": True}}, 4),
    ],
)  # fmt: skip
def test_epochs_at_most_are_those_of_the_longest_trainings(
    epochs: dict[str, Any] | None, expected: int
) -> None:
    searched = {"depth.automask": {"type": "bool"}, **({"epochs": epochs} if epochs else {})}
    space = told_space(base={"epochs": 4}, search={"trials_per_arm": 4, "space": searched})
    assert [arm.max_epochs for arm in make_plan(space).arms] == [7 * expected] * 2


def test_a_plan_says_who_trains_what_how_often_and_why() -> None:
    said = words(make_plan(weighed()))
    for expected in (
        "Study 'told': Does it?",
        "│ st-instances │ instances │ highest val/instances/ap50 │ 2 │ 3 │ 20 │",
        "│ mt-dwa │ depth + instances │ lowest val/depth/abs_rel │ 2 │ 3 │ 20 │",
        "optimizer.lr: 0.0001 to 0.01 (log) (all arms)",
        "weighting.temperature: 1 to 4, when weighting.name is dwa (mt-dwa)",
        "15 trainings, 60 epochs at most: search 6 trainings look for good settings of each arm "
        "on the validation split; poor ones end early, after 1 epoch or more "
        "confirm 9 trainings: the best settings of each arm again with seeds 1, 2, 3 "
        "test opened once, at the end, to compare these to st-depth in test/depth/abs_rel "
        "test/depth/a1",
    ):
        assert expected in said


def test_one_of_a_thing_is_told_as_one() -> None:
    space = told_space(arms={"a": {}}, confirm={"seeds": [5]})
    said = words(make_plan(space))
    assert "1 training, 1 epoch at most: confirm 1 training: each arm with seed 5 test" in said
    assert "search" not in said.split("at most:")[1]
    once = {"trials_per_arm": 1, "space": {"optimizer.lr": LR}}
    early = {"name": "asha", "grace_epochs": 2}
    said = words(make_plan(told_space(arms={"a": {}}, search=once, scheduler=early)))
    assert "search 1 training looks for good settings of each arm" in said
    assert "after 2 epochs or more" in said
    assert [counted(num, "pair") for num in (0, 1, 2)] == ["0 pairs", "1 pair", "2 pairs"]


def test_a_plan_without_seeds_or_without_anything_to_search_says_so() -> None:
    search = {"trials_per_arm": 3, "space": {"optimizer.lr": LR}}
    said = words(make_plan(told_space(search=search, confirm={})))
    assert "to compare the best of each arm to a, with one seed each, in" in said
    assert " confirm " not in said.split("at most:")[1]
    said = words(make_plan(told_space(search={"trials_per_arm": 3})))
    assert "Nothing is searched: arms are taken as they are set." in said
    assert "8 trainings" in said, "one search trial an arm, and three seeds each"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": "bool"}, "x: true or false"),
        ({"type": "categorical", "choices": ["l1", None]}, "x: one of l1, None"),
        ({"type": "int", "low": 1, "high": 9, "step": 4}, "x: 1 to 9 in steps of 4"),
        ({"type": "bool", "when": {"a": 1, "b": "c"}}, "x: true or false, when a is 1 and b is c"),
        ({"type": "bool", "sampler": "grid"}, "x: true or false, each as often"),
        ({"type": "bool", "sampler": "random"}, "x: true or false, at random"),
    ],
)
def test_a_parameter_in_a_few_words(fields: dict[str, Any], expected: str) -> None:
    assert describe("x", Parameter.model_validate(fields)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"name": "kitti", "root": "/k", "split": "s"}, "kitti at /k, split s, seen at 640x192"),
        ({"root": "/w", "width": 640}, "driveworld at /w, split driveworld, seen at 640x64"),
        ({"driveworld": {"num_val_drives": 77}}, "+ 77 +"),
    ],
)
def test_the_data_is_named(data: dict[str, Any], expected: str) -> None:
    assert expected in make_plan(told_space(base={"data": data})).data


def test_brackets_are_no_markup() -> None:
    space = told_space(question="Is [bold]this[/bold] [red]shown?", study="told")
    assert "Is [bold]this[/bold] [red]shown?" in words(make_plan(space))
