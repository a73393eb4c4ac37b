"""What is looked at before a study starts: its data, and what they can be judged against."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from study.goals import Objective
from study.preflight import (
    check_data,
    check_software,
    data_names,
    refuse_other_data,
    resolve_objectives,
    tell_missing,
)
from study.space import Space
from study.trainable import OnProgress, SplitSummary, Truth
from tests.study.ledgers import told_space
from tests.study.quick import Quick

ABS_REL, FALLBACK = "val/depth/abs_rel", "val/depth/photometric"
LIDARLESS = Truth(depth=False, motion=False)
WITH_FALLBACK = {"metric": ABS_REL, "mode": "min", "fallback": FALLBACK}
INSTANCES = {
    "set": {"tasks": ["instances"]},
    "objective": {"metric": "val/instances/ap50", "mode": "max"},
}


def splits(val: Truth, test: Truth | None = None) -> dict[str, SplitSummary]:
    truths = {"train": Truth(), "val": val, "test": test or Truth()}
    return {
        name: SplitSummary(num_samples=3, truth=truth, fingerprint="")
        for name, truth in truths.items()
    }


def resolved(space: Space, val: Truth) -> tuple[dict[str, Objective], list[str]]:
    said: list[str] = []
    return resolve_objectives(space, dict.fromkeys(space.arms, splits(val)), said.append), said


def test_objectives_stay_where_the_truth_is_there() -> None:
    space = told_space(objective=WITH_FALLBACK, arms={"a": {}, "i": INSTANCES})
    found, said = resolved(space, Truth())
    assert said == []
    assert found == {arm: space.objective_of(arm) for arm in space.arms}


def test_the_fallback_stands_in_for_the_arms_that_need_it_and_is_told() -> None:
    space = told_space(objective=WITH_FALLBACK, arms={"a": {}, "i": INSTANCES})
    found, said = resolved(space, LIDARLESS)
    assert (found["a"].metric, found["a"].mode) == (FALLBACK, "min")
    assert found["i"] == space.objective_of("i")
    assert said == [
        f"Note: a is tuned for {FALLBACK}, not {ABS_REL}: "
        "the validation split has no truth for depth"
    ]


def test_arms_of_the_same_fallback_are_told_in_one_line() -> None:
    space = told_space(objective=WITH_FALLBACK, arms={"a": {}, "b": {}, "i": INSTANCES})
    (note,) = resolved(space, LIDARLESS)[1]
    assert note.startswith(f"Note: a, b are tuned for {FALLBACK}, not {ABS_REL}: ")


@pytest.mark.parametrize("fallback", [None, FALLBACK])
def test_an_objective_that_cannot_be_had_is_refused_with_those_that_can(
    fallback: str | None,
) -> None:
    space = told_space(objective={**WITH_FALLBACK, "fallback": fallback})
    truth = Truth(depth=False, motion=False, neighbours=fallback is None, poses=True)
    with pytest.raises(ValueError, match=rf"^arm a: .*found {ABS_REL}, and the val") as caught:
        resolved(space, truth)
    can = "val/depth/photometric, " if fallback is None else ""
    assert f"set objective.fallback to one of {can}" in str(caught.value)
    assert "val/pose/ate" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("test", "metric", "missing"),
    [
        (Truth(), "test/depth/abs_rel", None),
        (LIDARLESS, "test/depth/abs_rel", "depth"),
        (Truth(neighbours=False), "test/depth/photometric", "neighbours"),
        (LIDARLESS, "test/depth/comoving/abs_rel", "depth, motion"),
        (LIDARLESS, "test/instances/ap50", None),
        (LIDARLESS, "test/pose/ate", None),
        (Truth(instances=False), "test/instances/ap50", "instances"),
        (Truth(instances=False), "test/depth/abs_rel", None),
    ],
)
def test_a_metric_that_the_test_split_cannot_give_is_told(
    test: Truth, metric: str, missing: str | None
) -> None:
    space = told_space(
        base={}, arms={"a": {"set": {"tasks": ["depth"]}}, "i": INSTANCES},
        compare={"baseline": "a", "metrics": [metric]},
    )  # fmt: skip
    said: list[str] = []
    tell_missing(space, dict.fromkeys(space.arms, splits(Truth(), test)), said.append)
    note = f"Note: {metric} will be shown as —, as the test split has no truth for {missing}"
    assert said == ([] if missing is None else [note])


def test_each_data_set_is_looked_over_once_and_described(tmp_path: Any) -> None:
    quick = Quick(diary=tmp_path / "diary")
    kitti = {"set": {"data": {"name": "kitti", "root": "/somewhere"}}}
    space = told_space(arms={"a": {}, "b": {}, "k": kitti, "l": kitti})
    said: list[str] = []
    of_arms, described = check_data(space, quick, said.append)
    assert quick.said("check") == ["check", "check"]
    assert said == [
        f"Data: {name}, 9 train, 3 val, 2 test samples" for name in ("driveworld", "kitti")
    ]
    assert of_arms["a"] is of_arms["b"] is not of_arms["k"]
    assert list(of_arms) == ["a", "b", "k", "l"]
    assert list(described) == ["data-0", "data-1"]
    assert described["data-0"]["val"]["num_samples"] == 3
    assert described["data-0"]["val"]["truth"]["depth"] is True


class Bare(Quick):
    """Has nothing installed that `nash` needs."""

    def check_software(self, config: Mapping[str, Any]) -> None:
        if config.get("weighting") == {"name": "nash"}:
            raise ValueError("weighting.name: 'nash' needs more")


def test_what_is_not_installed_is_told_with_its_arm(tmp_path: Any) -> None:
    bare = Bare(diary=tmp_path / "diary")
    check_software(told_space(), bare)
    with pytest.raises(ValueError, match=r"^arm b: weighting.name: 'nash' needs more$"):
        check_software(told_space(arms={"a": {}, "b": {"set": {"weighting.name": "nash"}}}), bare)


class Preparing(Quick):
    """Prepares its data in 200 steps."""

    def check_data(
        self, config: Mapping[str, Any], on_progress: OnProgress | None = None
    ) -> dict[str, SplitSummary]:
        assert on_progress is not None
        for done in range(1, 201):
            on_progress(done, 200)
        return super().check_data(config, on_progress)


def test_a_long_preparation_is_told_in_tenths(tmp_path: Any) -> None:
    said: list[str] = []
    check_data(told_space(), Preparing(diary=tmp_path / "diary"), said.append)
    told = [line.removeprefix("Preparing data: ") for line in said[:-1]]
    assert told == ["1 of 200", *(f"{20 * tenth} of 200" for tenth in range(1, 11))]


def test_an_arm_that_learns_instances_is_refused_data_without_maps() -> None:
    space = told_space(arms={"a": {"set": {"tasks": ["depth"]}}, "i": INSTANCES})
    unlabelled = {**splits(Truth()), "train": replace(splits(Truth())["train"], unlabelled="none")}

    class Found(Quick):
        def check_data(
            self, config: Mapping[str, Any], on_progress: OnProgress | None = None
        ) -> dict[str, SplitSummary]:
            return unlabelled

    with pytest.raises(ValueError, match=r"^arm i: none$"):
        check_data(space, Found(diary=Path("diary")), lambda _: None)


def test_arms_of_the_same_data_share_it_by_the_name_that_the_manifest_has() -> None:
    small = {"set": {"data": {"height": 96}}}
    space = told_space(arms={"a": {}, "b": small, "c": {"set": {"epochs": 2}}, "d": small})
    assert data_names(space) == {"a": "data-0", "b": "data-1", "c": "data-0", "d": "data-1"}
    _, data = check_data(space, Quick(diary=Path(os.devnull)), lambda _: None)
    assert set(data) == set(data_names(space).values())


def test_data_are_the_same_by_their_fingerprints_in_whatever_order_the_sets_come() -> None:
    def described(**prints: str) -> dict[str, Any]:
        return {split: {"num_samples": 3, "fingerprint": told} for split, told in prints.items()}

    one, other = described(train="a", val="b"), described(train="c", val="b")
    refuse_other_data({"data-0": one}, {"data-0": other, "data-1": one})
    refuse_other_data({}, {"data-0": one})
    with pytest.raises(
        ValueError, match=r"train split, 3 samples with fingerprint a; found 3 .* fingerprint c"
    ):
        refuse_other_data({"data-0": one}, {"data-0": other})
    with pytest.raises(ValueError, match="fingerprint a; found none"):
        refuse_other_data({"data-0": other, "data-1": one}, {"data-0": other})
