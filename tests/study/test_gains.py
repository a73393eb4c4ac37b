"""Which arms gain over which, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from study.events import Event
from study.gains import Gain
from study.results import read_results
from study.space import Space
from tests.study.ledgers import METRIC, told_space, trial, write_study

AP = "test/instances/ap50"
AP_ALL = "test/instances/ap"
BOTH = {"tasks": ["depth", "instances"]}
ARMS: dict[str, Any] = {
    "both": {"set": BOTH},
    "depth": {},
    "depth-2": {"set": {"attention": "none"}},
    "inst": {"set": {"tasks": ["instances"]}},
}
REACHED = {
    "both": {METRIC: 0.08, AP: 0.6, AP_ALL: 0.1},
    "depth": {METRIC: 0.10},
    "depth-2": {METRIC: 0.16},
    "inst": {AP: 0.5, AP_ALL: 0.4},
}


def space(baseline: str = "both", metrics: tuple[str, ...] = (METRIC, AP, AP_ALL)) -> Space:
    return told_space(arms=ARMS, compare={"baseline": baseline, "metrics": list(metrics)})


def found(directory: Path, asked: Space, without: str = "", **other: float) -> list[Gain]:
    events: list[Event] = [
        event
        for arm, values in REACHED.items()
        if arm != without
        for seed in (1, 2, 3)
        for event in trial(arm, seed, test={**values, **(other if seed == 3 else {})})
    ]
    return read_results(write_study(directory / "s", events, asked)).gains


def test_an_arm_of_two_tasks_gains_over_the_arms_of_one(tmp_path: Path) -> None:
    (gain,) = found(tmp_path, space())
    assert gain.arm == "both"
    assert [(part.task, part.metric, part.alone) for part in gain.tasks] == [
        ("depth", METRIC, "depth"),
        ("instances", AP, "inst"),
    ]
    assert [part.mean for part in gain.tasks] == pytest.approx([20.0, 20.0])
    assert (gain.summary.num, gain.summary.mean) == (3, pytest.approx(20.0))
    assert gain.interval == pytest.approx((20.0, 20.0))


def test_the_first_metric_of_a_task_speaks_for_it(tmp_path: Path) -> None:
    (gain,) = found(tmp_path, space(metrics=(AP_ALL, AP, METRIC)))
    assert [part.metric for part in gain.tasks] == [METRIC, AP_ALL]
    assert gain.summary.mean == pytest.approx((20.0 - 75.0) / 2)


def test_the_baseline_goes_before_other_arms_of_its_task(tmp_path: Path) -> None:
    (gain,) = found(tmp_path, space(baseline="depth-2"))
    assert [part.alone for part in gain.tasks] == ["depth-2", "inst"]
    assert gain.tasks[0].mean == pytest.approx(50.0)


def test_without_an_arm_of_one_or_a_metric_for_each_task_there_is_no_gain(tmp_path: Path) -> None:
    assert found(tmp_path / "1", space(), without="inst") == []
    assert found(tmp_path / "2", space(metrics=(METRIC,))) == []
    alone = told_space(arms={"both": {"set": BOTH}, "depth": {}}, compare={
        "baseline": "depth", "metrics": [METRIC, AP]})  # fmt: skip
    assert read_results(write_study(tmp_path / "3", [], alone)).gains == []


def test_seeds_over_nothing_are_left_out(tmp_path: Path) -> None:
    (gain,) = found(tmp_path, space(), **{AP: 0.0})
    assert gain.summary.num == 2
