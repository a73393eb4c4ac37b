"""What went wrong in a study, or has not happened yet, is told in its report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from study.events import Event
from study.report.content import Content, make_content
from study.results import read_results
from study.space import Space
from tests.study.ledgers import METRIC, confirmed, told_space, trial, write_study

BASE = {1: 0.30, 2: 0.31, 3: 0.32}
SEARCH = {"trials_per_arm": 2, "space": {"optimizer.lr": {"type": "float", "low": 1, "high": 2}}}


def content(
    directory: Path, events: list[Event], space: Space | None = None, **manifest: Any
) -> Content:
    return make_content(read_results(write_study(directory / "s", events, space, **manifest)))


def test_failed_trainings_are_listed_with_their_reasons(tmp_path: Path) -> None:
    events = [
        *confirmed({"a": BASE, "b": {1: 0.2, 2: 0.2}}),
        *trial("b", 3, status="failed", error="TrainingDiverged: loss is nan"),
    ]
    told = content(tmp_path, events)
    reason = "TrainingDiverged: loss is nan"
    assert told.failures == [{"trial": "confirm-b-seed3", "arm": "b", "reason": reason}]
    assert [(row["arm"], row["completed"], row["failed"]) for row in told.costs] == [
        ("a", "3", "0"),
        ("b", "2", "1"),
    ]
    (cell,) = told.rows[1].cells
    assert (cell.text, cell.note, cell.is_best) == ("0.200 ± 0.000", 1, True)
    assert told.footnotes == ["over 2 of 3 seeds: the others gave no value"]
    assert told.rows[0].cells[0].note is None
    assert [difference["pairs"] for difference in told.differences] == ["2"]
    assert "With 2 pairs this test cannot go below p = 0.5" in told.difference_notes[3]


def test_when_all_has_failed_the_question_stays_open(tmp_path: Path) -> None:
    events = [e for arm in "ab" for s in (1, 2, 3) for e in trial(arm, s, status="failed")]
    told = content(tmp_path, events, test_opened=None)
    assert told.answer.startswith("The question stays open")
    assert {cell.text for row in told.rows for cell in row.cells} == {"—"}
    assert told.footnotes == ["no confirmed training of the arm was judged on this split"]
    assert len(told.failures) == 6
    assert {failure["reason"] for failure in told.failures} == {"no reason given"}
    assert (told.differences, told.difference_notes) == ([], [])
    assert told.shut[-1] == "The test split has not been opened."


def test_what_was_trained_but_not_judged_is_told(tmp_path: Path) -> None:
    events = [event for arm in "ab" for seed in (1, 2, 3) for event in trial(arm, seed)]
    told = content(tmp_path, events, test_opened=None, ended=None)
    assert not told.is_finished
    assert told.answer.startswith("The question stays open")
    assert told.shut[-1] == "The test split has not been opened."
    assert all(row.cells[0].text == "—" for row in told.rows)


@pytest.mark.parametrize("events", [[], trial("a", 1, status="running")])
def test_a_study_under_way_is_not_called_finished(tmp_path: Path, events: list[Event]) -> None:
    assert not content(tmp_path, events, ended=None).is_finished
    assert content(tmp_path / "2", [*events, *confirmed({"b": BASE})]).is_finished


def test_training_after_the_test_split_was_opened_is_told(tmp_path: Path) -> None:
    opened = "2025-12-31T00:00:00.000+00:00"
    told = content(tmp_path, confirmed({"a": {1: 0.3}, "b": {1: 0.2}}), test_opened=opened)
    assert told.shut[-1] == (
        "Beware: 2 trainings started after that: confirm-a-seed1, confirm-b-seed1."
    )


def test_what_settings_were_chosen_by_is_told_only_where_they_were(tmp_path: Path) -> None:
    assert content(tmp_path / "1", []).shut[0].startswith("Settings were not searched; numbers in")
    told = content(tmp_path / "2", [], told_space(search=SEARCH))
    assert told.shut[0].startswith("Settings were chosen by val/depth/abs_rel, on the validation")
    fallback = {arm: {"metric": "val/depth/photometric"} for arm in "ab"}
    told = content(tmp_path / "3", [], told_space(search=SEARCH), objectives=fallback)
    assert told.shut[0].startswith("Settings were chosen by val/depth/photometric, on")


def test_what_was_searched_and_found_is_told(tmp_path: Path) -> None:
    space = told_space(search=SEARCH, scheduler={"name": "asha"})
    events = [
        *trial("a", phase="search", number=0, params={"optimizer.lr": 1.23456}, val=0.5),
        *trial("a", phase="search", number=1, params={"optimizer.lr": 1.5}, val=0.4),
        *trial("b", phase="search", number=0, status="pruned", val=0.6),
    ]
    told = content(tmp_path, events, space)
    assert told.searched == [
        "optimizer.lr: 1 to 2",
        "2 trials for each arm, proposed by tpe, poor ones ended early by asha within their own "
        "arm",
    ]
    assert told.best == [
        {"arm": "a", "metric": "val/depth/abs_rel", "value": "0.400",
         "params": "optimizer.lr = 1.5", "trial": "search-a-001"},
        {"arm": "b", "metric": "val/depth/abs_rel", "value": "0.600",
         "params": "nothing to choose", "trial": "search-b-000"},
    ]  # fmt: skip
    assert [row["pruned"] for row in told.costs] == ["0", "1"]
    assert told.failures == [], "ended early is not failed"
    assert content(tmp_path / "2", []).searched == ["Nothing: each arm was taken as it is set."]


def test_arms_that_have_less_to_try_and_points_that_came_first_are_told(tmp_path: Path) -> None:
    searched = {
        "batch_size": {"type": "int", "low": 1, "high": 2, "sampler": "grid"},
        "weighting.temperature": {
            "type": "float", "low": 1, "high": 2, "when": {"weighting.name": "dwa"},
        },
    }  # fmt: skip
    search = {
        "trials_per_arm": 6, "space": searched, "enqueue": [{"weighting.temperature": 1.5}],
    }  # fmt: skip
    space = told_space(search=search, arms={"a": {}, "b": {"set": {"weighting.name": "dwa"}}})
    assert content(tmp_path, [], space).searched == [
        "batch_size: 1 to 2, each as often",
        "weighting.temperature: 1 to 2, when weighting.name is dwa",
        "up to 6 trials for each arm, proposed by tpe after 1 point of search.enqueue",
    ]


def test_a_metric_that_the_baseline_lacks_has_another_reference_and_a_note(tmp_path: Path) -> None:
    ap = "test/instances/ap50"
    space = told_space(
        arms={
            "a": {},
            "i": {"set": {"tasks": ["instances"]}},
            "b": {"set": {"tasks": ["depth", "instances"]}},
        },
        compare={"baseline": "a", "metrics": [METRIC, ap]},
    )
    events = [*confirmed({"a": BASE}), *confirmed({"i": BASE}, ap)]
    events += [e for s in (1, 2, 3) for e in trial("b", s, test={METRIC: 0.2, ap: 0.5})]
    told = content(tmp_path, events, space)
    assert [cell.text for cell in told.rows[0].cells] == ["0.310 ± 0.010", "—"]
    assert told.footnotes == ["the arm does not learn what this measures"]
    assert [(d["arm"], d["reference"], d["direction"]) for d in told.differences] == [
        ("b", "a", "better"),
        ("b", "i", "better"),
    ]
    assert told.difference_notes[-1] == f"a has no {ap}; there, arms are compared with i."


OVER_SEEDS, ALONE = "Mean ± standard deviation over 3 seeds", "One training of each arm"


@pytest.mark.parametrize(("seeds", "said"), [([1, 2, 3], OVER_SEEDS), ([1], ALONE), ([], ALONE)])
def test_the_number_of_seeds_is_told(tmp_path: Path, seeds: list[int], said: str) -> None:
    space = told_space(confirm={"seeds": seeds}, search=SEARCH)
    assert content(tmp_path, [], space).caption == said


@pytest.mark.parametrize(("num", "said"), [(16, "an exact"), (17, "a")])
def test_a_test_that_is_not_exact_is_not_called_so(tmp_path: Path, num: int, said: str) -> None:
    values = {seed: 0.3 + seed / 100 for seed in range(1, num + 1)}
    space = told_space(confirm={"seeds": list(values)})
    told = content(tmp_path, confirmed({"a": values, "b": values}), space)
    assert told.difference_notes[2].startswith(f"p comes from {said} two-sided sign-flip")
    assert "corrected for the one comparison of this table" in told.difference_notes[2]


def test_the_manifest_is_told_flat(tmp_path: Path) -> None:
    facts = dict(content(tmp_path, [], data={"data-0": {"test": {"num_samples": 3}}}).facts)
    assert facts["data.data-0.test.num_samples"] == "3"
    assert facts["versions.torch"] == "2.0"
    assert facts["git"] == "null"
