"""A ledger put through the statistics: who is paired with whom, and what is left out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from study.events import Event
from study.results import Results, read_results, reference_arm
from study.searcher import ArmSearcher
from study.space import Space
from tests.study.ledgers import METRIC, SCORE, confirmed, told_space, trial, write_study

AP = "test/instances/ap50"


def results_of(directory: Path, events: list[Event], space: Space | None = None) -> Results:
    return read_results(write_study(directory / "study", events, space))


def test_arms_are_paired_by_seed(tmp_path: Path) -> None:
    values = {"a": {1: 0.30, 2: 0.50, 3: 0.40}, "b": {3: 0.35, 1: 0.20, 2: 0.45}}
    results = results_of(tmp_path, confirmed(values))
    (found,) = results.comparisons
    assert (found.arm, found.reference, found.metric) == ("b", "a", METRIC)
    assert found.difference.mean == pytest.approx(-0.2 / 3)
    assert found.difference.num_pairs == 3
    assert found.is_better is True
    assert results.summaries["a"][METRIC].mean == pytest.approx(0.4)
    assert results.values["b"][METRIC] == values["b"]


@pytest.mark.parametrize(("metric", "better"), [(METRIC, False), (SCORE, True)])
def test_which_way_is_better_is_the_metrics_own(tmp_path: Path, metric: str, better: bool) -> None:
    space = told_space(compare={"baseline": "a", "metrics": [metric]})
    values = {"a": {1: 0.1, 2: 0.1}, "b": {1: 0.3, 2: 0.2}}
    (found,) = results_of(tmp_path, confirmed(values, metric), space).comparisons
    assert found.difference.mean == pytest.approx(0.15)
    assert found.is_better is better


def test_equal_arms_are_neither_better_nor_worse(tmp_path: Path) -> None:
    (found,) = results_of(tmp_path, confirmed({"a": {1: 0.1}, "b": {1: 0.1}})).comparisons
    assert (found.is_better, found.difference.mean, found.p_adjusted) == (None, 0.0, 1.0)


def test_what_failed_runs_or_gave_no_number_is_left_out(tmp_path: Path) -> None:
    events = [
        *confirmed({"a": {1: 0.3, 2: 0.3, 3: 0.3}, "b": {1: 0.2}}),
        *trial("b", 2, status="failed", test={METRIC: 9.0}),
        *trial("b", 3, test={METRIC: math.nan}),
        *trial("c", 1, status="running", test={METRIC: 9.0}),
        *trial("c", 2),
        *trial("c", 0, phase="search", number=0, test={METRIC: 9.0}),
    ]
    results = results_of(tmp_path, events, told_space(arms={"a": {}, "b": {}, "c": {}}))
    assert results.values["b"][METRIC] == {1: 0.2}
    assert METRIC not in results.values["c"]
    assert [(c.arm, c.difference.num_pairs) for c in results.comparisons] == [("b", 1)]
    why = results.why_missing("c", METRIC)
    assert why == "no confirmed training of the arm was judged on this split"


def test_arms_without_a_seed_in_common_are_not_compared(tmp_path: Path) -> None:
    values = {"a": {1: 0.3, 2: 0.3}, "b": {3: 0.1}, "c": {2: 0.2, 3: 0.2}}
    space = told_space(arms={"a": {}, "b": {}, "c": {}})
    (found,) = results_of(tmp_path, confirmed(values), space).comparisons
    assert (found.arm, found.difference.num_pairs, found.p_adjusted) == ("c", 1, 1.0)


def test_an_arm_that_does_not_learn_a_task_has_another_reference(tmp_path: Path) -> None:
    space = told_space(
        arms={
            "depth": {},
            "inst": {"set": {"tasks": ["instances"]}},
            "both": {"set": {"tasks": ["depth", "instances"]}},
        },
        compare={"baseline": "depth", "metrics": [METRIC, AP]},
    )
    assert [reference_arm(space, m) for m in (METRIC, AP, "test/x")] == ["depth", "inst", None]
    both = {METRIC: 0.2, AP: 0.6}
    events = [event for seed in (1, 2) for event in trial("both", seed, test=both)]
    events += confirmed({"depth": {1: 0.3, 2: 0.3}}) + confirmed({"inst": {1: 0.5, 2: 0.5}}, AP)
    results = results_of(tmp_path, events, space)
    found = [(c.metric, c.arm, c.reference) for c in results.comparisons]
    assert found == [(METRIC, "both", "depth"), (AP, "both", "inst")]
    assert results.why_missing("depth", AP) == "the arm does not learn what this measures"
    assert "no ground truth" in results.why_missing("depth", "test/pose/ate")
    assert results.metrics() == ["val/depth/abs_rel", METRIC, AP]


def test_p_values_are_corrected_over_all_comparisons_of_the_study(tmp_path: Path) -> None:
    seeds = range(1, 7)
    space = told_space(
        arms={"a": {}, "b": {}, "c": {}},
        confirm={"seeds": list(seeds)},
        compare={"baseline": "a", "metrics": [METRIC, SCORE]},
    )
    values = {"a": 0.3, "b": 0.2, "c": 0.3}
    events = [
        event
        for arm, value in values.items()
        for seed in seeds
        for event in trial(arm, seed, test={METRIC: value, SCORE: value})
    ]
    found = {(c.arm, c.metric): c for c in results_of(tmp_path, events, space).comparisons}
    assert found["b", METRIC].difference.p_value == 2 / 64
    assert found["b", METRIC].p_adjusted == found["b", SCORE].p_adjusted == 4 * 2 / 64
    assert found["c", METRIC].p_adjusted == 1.0


def test_without_confirmation_the_best_of_the_search_is_what_is_judged(tmp_path: Path) -> None:
    space = told_space(confirm={}, search={"trials_per_arm": 2})
    events = [
        *trial("a", phase="search", number=0, val=0.5, test={METRIC: 0.6}),
        *trial("a", phase="search", number=1, val=0.9),
        *trial("b", phase="search", number=0, val=0.4, test={METRIC: 0.5}),
    ]
    results = results_of(tmp_path, events, space)
    assert results.values["a"][METRIC] == {0: 0.6}
    assert results.values["a"]["val/depth/abs_rel"] == {0: 0.5}
    assert [(c.arm, c.difference.num_pairs) for c in results.comparisons] == [("b", 1)]


SEARCHES: list[list[dict[str, Any]]] = [
    [{"val": 0.5}, {"val": 0.3}, {"val": 0.4}],
    [{"val": 0.3}, {"val": 0.3}],
    [{"val": 0.1, "status": "failed"}, {"val": 0.4}, {"val": math.nan}],
    [{"val": 0.1, "status": "pruned"}, {"val": 0.4, "epochs": 2}],
    [{"val": 0.4, "status": "pruned"}, {"val": 0.3, "status": "failed"}],
    [{"val": 0.1}, {"val": 0.4, "epochs": 3}, {"val": 0.3, "epochs": 3}],
    [{"val": math.nan}, {"val": 0.1, "status": "failed"}],
]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("trials", SEARCHES)
def test_the_best_trial_is_the_one_that_the_searcher_confirms(
    tmp_path: Path, trials: list[dict[str, Any]], mode: str
) -> None:
    objective = {"metric": "val/depth/abs_rel", "mode": mode}
    space = told_space(
        arms={"a": {}},
        objective=objective,
        search={"trials_per_arm": 3, "space": {"optimizer.lr": {"type": "float", "low": 1e-4,
                                                               "high": 1e-3}}},
    )  # fmt: skip
    events = [
        event
        for number, fields in enumerate(trials)
        for event in trial(
            "a", phase="search", number=number, params={"optimizer.lr": 5e-4}, **fields
        )
    ]
    searcher = ArmSearcher(space, {"a": space.objective_of("a")})
    for event in events:
        searcher.apply(event)
    best = results_of(tmp_path, events, space).best
    confirmed_by = searcher.best("a")
    assert best.get("a", {}).get("trial_key") == (confirmed_by and confirmed_by.trial_key)


def test_a_study_that_has_just_begun_is_read_too(tmp_path: Path) -> None:
    results = results_of(tmp_path, [])
    assert (results.trials, results.comparisons, results.best) == ([], [], {})
    assert results.summaries["a"][METRIC].num == 0
    with pytest.raises(ValueError, match="expected a study directory"):
        read_results(tmp_path)
