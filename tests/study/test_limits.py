"""A budget ends a study at its limit, with all that it has, whatever interrupts it."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from study.events import Dealt, EpochEnded, Event, TrialEnded
from study.ledger import Ledger
from study.limits import Limits
from study.report import write_report
from study.runner import Settings, resume_study, run_study
from study.simulate import Simulated
from study.space import Budget, Space
from tests.study.simulated import simulated_space, told

SEEDS = {"seeds": [1, 2]}


def at(second: float) -> str:
    return f"2026-01-01T00:{int(second) // 60:02d}:{second % 60:06.3f}+00:00"


def dealt(key: str) -> Dealt:
    told: dict[str, Any] = {"params": {}, "config": {}, "num_epochs": 9, "time": at(0)}
    return Dealt(trial_key=key, phase="search", arm="a", seed=0, **told)


def epoch(key: str, number: int, end: float, seconds: float) -> EpochEnded:
    last: dict[str, Any] = {"metrics": {}, "checkpoint": None, "time": at(end)}
    return EpochEnded(trial_key=key, epoch=number, seconds=seconds, **last)


def after(events: list[Event], budget: Budget | None = None, devices: float = 1) -> Limits:
    limits = Limits(budget or Budget(), {"a": devices})
    for event in events:
        limits.apply(event)
    return limits


def test_hours_are_those_in_which_any_trial_ran_and_device_hours_those_of_all() -> None:
    events = [dealt("x"), dealt("y"), epoch("x", 1, 100, 60), epoch("y", 1, 120, 60)]
    used = after(events, devices=2).used
    assert used["trials"] == 2
    assert used["device_hours"] == pytest.approx(120 * 2 / 3600)
    assert used["hours"] == pytest.approx(80 / 3600), "from second 40 to 120"
    later = [
        *events,
        epoch("x", 2, 1000, 10),
        TrialEnded(trial_key="y", status="cut", time=at(1000)),
    ]
    assert after(later).used["hours"] == pytest.approx(90 / 3600), "what lies between is no trial's"
    assert after([*later, epoch("x", 2, 1100, 50)]).used == after(later).used, (
        "an epoch counts once"
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 400)), max_size=12))
def test_hours_are_the_union_of_spans_and_no_more_than_their_sum(
    spans: list[tuple[int, int]],
) -> None:
    spans = sorted((end, min(seconds, end)) for end, seconds in spans)
    events: list[Event] = [dealt("x")]
    events += [epoch("x", n, end, seconds) for n, (end, seconds) in enumerate(spans, start=1)]
    busy = {second for end, seconds in spans for second in range(end - seconds, end)}
    used = after(events).used
    assert used["hours"] * 3600 == pytest.approx(len(busy), abs=1e-3)
    assert used["device_hours"] >= used["hours"] - 1e-9


def test_only_time_cuts_what_runs() -> None:
    events: list[Event] = [dealt("x"), epoch("x", 1, 100, 60)]
    assert after(events, Budget()).spent() is None
    by_number = after(events, Budget(trials=1))
    assert (by_number.spent(), by_number.cuts()) == ("trials", False)
    by_time = after(events, Budget(device_hours=60 / 3600, trials=2))
    assert (by_time.spent(), by_time.cuts()) == ("device_hours", True)


@pytest.mark.parametrize("said", [{"trials": 0}, {"hours": 0}, {"device_hours": -1}, {"days": 1}])
def test_a_budget_that_is_none_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate(said)


def run(space: Space, out: Path, seconds: float = 0.0, *, at_once: int = 2) -> Ledger:
    settings = Settings(trainable=Simulated(seconds=seconds), tracks=False, concurrency=at_once)
    return Ledger.open(run_study(space, out, settings))


def reported(ledger: Ledger) -> str:
    return " ".join((ledger.directory / "report.md").read_text().split())


def interrupted(study: Path, at_event: int, copy: Path) -> Path:
    """The study as a kill after so many events would have left it."""
    shutil.copytree(study, copy)
    for record in Ledger.open(study).records.values():
        if record.kept and record.epochs[-1].checkpoint:
            shutil.copytree(study / record.kept, copy / record.epochs[-1].checkpoint)
    lines = (copy / "events.jsonl").read_text().splitlines(keepends=True)
    (copy / "events.jsonl").write_text("".join(lines[:at_event]))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest |= {"ended": None, "test_opened": None, "tested_phase": None, "cut_off": None}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


@pytest.mark.usefixtures("small_ray")
def test_a_limit_in_the_search_compares_the_best_of_each_arm(tmp_path: Path) -> None:
    space = simulated_space(confirm=SEEDS, budget={"trials": 5})
    ledger = run(space, tmp_path / "study", at_once=1)  # which arm is dealt the last is then known
    trials = ledger.trials()
    assert Counter(trials.arm) == {"equal": 3, "dwa": 2}
    assert set(trials.phase) == {"search"}
    assert set(trials.status) == {"completed"}
    tested = trials[[any(n.startswith("test/") for n in m) for m in trials.metrics]]
    best = trials.sort_values("objective").groupby("arm").first().trial_key
    assert sorted(tested.trial_key) == sorted(best)
    said = reported(ledger)
    assert "The budget ended this study during the search: 5 trials." in said
    assert "Not every arm was trained again with fresh seeds" in said
    assert "of unequal length: equal 3 trainings, dwa 2 trainings." in said
    assert "One training of each arm, on the test split." in said
    copy = interrupted(ledger.directory, 9, tmp_path / "copy")
    settings = Settings(trainable=Simulated(), tracks=False, concurrency=1)
    assert told(resume_study(copy, settings)) == told(ledger.directory)


@pytest.mark.usefixtures("small_ray")
def test_a_limit_in_the_confirmation_compares_the_seeds_that_there_are(tmp_path: Path) -> None:
    space = simulated_space(confirm=SEEDS, budget={"trials": 9})
    ledger = run(space, tmp_path / "study", at_once=1)
    assert Counter(zip(ledger.trials().phase, ledger.trials().arm, strict=True)) == {
        ("search", "equal"): 3, ("search", "dwa"): 3,
        ("confirm", "equal"): 2, ("confirm", "dwa"): 1,
    }  # fmt: skip
    said = reported(ledger)
    assert "The budget ended this study during the confirmation: 9 trials." in said
    assert "Arms have unequal numbers of seeds: equal 2 seeds, dwa 1 seed" in said
    assert "over 1 of 2 seeds: the budget was spent" in said


@pytest.mark.usefixtures("small_ray")
@pytest.mark.slow
def test_a_budget_that_is_not_reached_changes_nothing(tmp_path: Path) -> None:
    space = simulated_space(confirm=SEEDS)
    limited = space.model_copy(update={"budget": Budget(trials=10, hours=9, device_hours=9)})
    one, other = run(space, tmp_path / "one"), run(limited, tmp_path / "other")
    assert told(one.directory) == told(other.directory)
    assert other.manifest["cut_off"] is None
    assert "budget" not in reported(other).split("How to repeat")[0]


@pytest.mark.usefixtures("small_ray")
@pytest.mark.parametrize("limit", ["hours", "device_hours"])
def test_time_that_is_spent_cuts_what_runs_at_its_next_epoch(tmp_path: Path, limit: str) -> None:
    base = {"tasks": ["depth"], "epochs": 40}
    budget = {limit: 1.5 / 3600}
    space = simulated_space(confirm=SEEDS, base=base, budget=budget)
    ledger = run(space, tmp_path / "study", seconds=0.1)
    statuses = ledger.trials().set_index("trial_key").status
    cut = list(statuses[statuses == "cut"].index)
    assert cut
    assert_cut_at_the_next_epoch(ledger, space)
    write_report(ledger.directory)
    assert "ended sooner than set, in the midst of training" in reported(ledger)
    assert ledger.trials().set_index("trial_key").checkpoint[cut].notna().any()
    lines = (ledger.directory / "events.jsonl").read_text().splitlines()
    last = max(i for i, line in enumerate(lines) if '"EpochEnded"' in line)
    copy = interrupted(ledger.directory, last + 1, tmp_path / "copy")
    settings = Settings(trainable=Simulated(), tracks=False, concurrency=2)
    assert told(resume_study(copy, settings)) == told(ledger.directory), "ended as it would have"


def assert_cut_at_the_next_epoch(ledger: Ledger, space: Space) -> None:
    limits = Limits(space.budget, space.num_devices)
    running: set[str] = set()
    due: set[str] = set()
    for event in ledger.events():
        spent = limits.cuts()
        limits.apply(event)
        if isinstance(event, Dealt):
            assert not spent, "nothing is dealt any more"
            running.add(event.trial_key)
        elif isinstance(event, EpochEnded):
            assert event.trial_key not in due, "none goes on beyond its next epoch"
            is_last = event.epoch == space.base["epochs"]
            due |= {event.trial_key} if spent and not is_last else set()
        elif isinstance(event, TrialEnded):
            assert (event.status == "cut") == (event.trial_key in due)
            running.discard(event.trial_key)
    assert not running
