"""Pareto fronts of what is traded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.events import Dealt, EpochEnded, Event, TrialEnded
from study.goals import Goal
from study.report import write_report
from study.report.pareto import MAX_ROWS, front, front_rows, tried
from study.results import read_results
from tests.study.ledgers import told_space, write_study

AP, MS = "val/instances/ap50", "val/instances/cluster_ms"
GOALS = (Goal(metric=AP, mode="max"), Goal(metric=MS, mode="min"))


def row(ap50: float, ms: float, key: str = "") -> dict[str, Any]:
    return {"metrics": {AP: ap50, MS: ms}, "trial_key": key}


def test_what_is_beaten_in_both_is_left_out() -> None:
    best, fast, worse = row(0.9, 9), row(0.5, 2), row(0.4, 3)
    assert front([worse, fast, best], GOALS) == [best, fast]


def test_equal_trials_both_stay_and_a_worse_one_at_the_same_price_does_not() -> None:
    first, second, worse = row(0.9, 9, "a"), row(0.9, 9, "b"), row(0.8, 9, "c")
    assert front([first, worse, second], GOALS) == [first, second]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_every_trial_is_on_the_front_or_beaten_by_one_that_is(points: list[Any]) -> None:
    trials = [row(a, b) for a, b in points]
    kept = [(t["metrics"][AP], t["metrics"][MS]) for t in front(trials, GOALS)]
    assert set(kept) <= set(points)
    for ap50, ms in points:
        beaten = [k for k in kept if k[0] >= ap50 and k[1] <= ms and k != (ap50, ms)]
        assert ((ap50, ms) in kept) != bool(beaten)


def clustered(number: int, ap50: float, ms: float, status: Any = "completed") -> list[Event]:
    key = f"search-a-{number:03d}"
    dealt: Any = {"phase": "search", "arm": "a", "seed": 0, "num_epochs": 1, "config": {}}
    return [
        Dealt(trial_key=key, params={"optics.eps": number / 10}, **dealt),
        EpochEnded(
            trial_key=key, epoch=1, metrics={AP: ap50, MS: ms}, checkpoint=None, seconds=1.0
        ),
        TrialEnded(trial_key=key, status=status),
    ]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    events = [
        *clustered(0, 0.5, 5),
        *clustered(1, 0.6, 6),
        *clustered(2, 0.4, 7),
        *clustered(3, math.nan, 1),
        *clustered(4, 0.9, 1, "failed"),
    ]
    objective = {"metric": AP, "mode": "max", "against": [{"metric": MS, "mode": "min"}]}
    searched = {"optics.eps": {"type": "float", "low": 0, "high": 2}}
    space = told_space(
        kind="clustering",
        base={},
        arms={"a": {}},
        objective=objective,
        search={"trials_per_arm": 5, "space": searched},
        confirm={},
        compare={"baseline": "a", "metrics": ["test/instances/ap50"]},
    )
    return write_study(tmp_path / "study", events, space)


def test_the_report_shows_the_front_of_what_came_to_an_end(study: Path) -> None:
    results = read_results(study)
    assert [t["trial_key"][-1] for t in tried(results, "a")] == ["0", "1", "2"]
    assert [found["trial"][-1] for found in front_rows(results)] == ["1", "0"]
    write_report(study)
    told = (study / "report.md").read_text()
    assert (
        "| a | val/instances/ap50 0.600, val/instances/cluster_ms 6.000 | optics.eps = 0.1 |"
        in told
    )
    (picture,) = (study / "figures").glob("front-*.png")
    assert picture.stat().st_size > 5_000
    assert (study / "report.html").read_text().count('<h2 id="traded">What was traded</h2>') == 1


def test_a_long_front_is_thinned_and_keeps_its_best(tmp_path: Path) -> None:
    events = [event for n in range(40) for event in clustered(n, n / 40, n)]
    space = told_space(
        kind="clustering",
        base={},
        arms={"a": {}},
        objective={"metric": AP, "mode": "max", "against": [{"metric": MS, "mode": "min"}]},
        confirm={},
        compare={"baseline": "a", "metrics": ["test/instances/ap50"]},
    )
    rows = front_rows(read_results(write_study(tmp_path / "study", events, space)))
    assert len(rows) <= MAX_ROWS
    assert rows[0]["trial"] == "search-a-039"


def test_nothing_traded_is_nothing_shown(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", [])
    write_report(study)
    assert "What was traded" not in (study / "report.md").read_text()
