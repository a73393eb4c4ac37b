"""The searcher's contract, without Ray: dealing, budgets, conditions, Optuna's view, resuming."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import TrialState
from ray.tune.search import Searcher

from study.events import Dealt, EpochEnded, TrialEnded
from study.searcher import ArmSearcher
from study.space import Space

NUM_EPOCHS = 3


def make_space(**changes: Any) -> Space:
    content: dict[str, Any] = {
        "study": "test",
        "question": "Does it?",
        "base": {"epochs": NUM_EPOCHS},
        "arms": {
            "equal": {"set": {"weighting": {"name": "equal"}}},
            "dwa": {"set": {"weighting": {"name": "dwa"}}},
            "inst": {
                "set": {"tasks": ["instances"]},
                "objective": {"metric": "val/instances/ap50", "mode": "max"},
            },
        },
        "objective": {"metric": "val/depth/abs_rel", "mode": "min"},
        "search": {
            "trials_per_arm": 8,
            "sampler": {"name": "tpe", "seed": 0},
            "space": {
                "optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True},
                "weighting.temperature": {
                    "type": "float",
                    "low": 1,
                    "high": 4,
                    "when": {"weighting.name": "dwa"},
                },
                "augmentation.flip": {"type": "categorical", "choices": [0.0, 0.5]},
            },
        },
        "confirm": {"seeds": [1, 2]},
        "compare": {"baseline": "equal", "metrics": ["test/depth/abs_rel"]},
    }
    return Space.model_validate({**content, **changes})


def searcher_of(space: Space, **options: Any) -> ArmSearcher:
    objectives = {arm: space.objective_of(arm) for arm in space.arms}
    return ArmSearcher(space, objectives, **options)


def value_of(dealt: Dealt) -> float:
    """Best at a learning rate of 1e-4, whichever way the arm's objective points."""
    distance = abs(math.log10(dealt.params.get("optimizer.lr", 1e-4)) + 4)
    return 1 - distance if dealt.arm == "inst" else distance


def finish(searcher: ArmSearcher, dealt: Dealt, status: str = "completed") -> None:
    metric = "val/instances/ap50" if dealt.arm == "inst" else "val/depth/abs_rel"
    for epoch in range(1, 2 if status != "completed" else NUM_EPOCHS + 1):
        searcher.apply(
            EpochEnded(
                trial_key=dealt.trial_key,
                epoch=epoch,
                metrics={metric: value_of(dealt) + 1 / epoch},
                checkpoint=None,
                seconds=1,
            )
        )
    searcher.apply(TrialEnded(trial_key=dealt.trial_key, status=status))  # type: ignore[arg-type]


def play(
    searcher: ArmSearcher, status: Callable[[Dealt], str] = lambda _: "completed"
) -> list[Dealt]:
    """Runs trials one after the other until the study is over."""
    dealt: list[Dealt] = []
    while (told := searcher.suggest("any")) != Searcher.FINISHED:
        assert isinstance(told, dict)
        dealt.append(told["dealt"])
        finish(searcher, told["dealt"], status(told["dealt"]))
    return dealt


def test_arms_advance_evenly_with_equal_budgets() -> None:
    dealt = play(searcher_of(make_space()))
    search = [d for d in dealt if d.phase == "search"]
    assert Counter(d.arm for d in search) == {"equal": 8, "dwa": 8, "inst": 8}
    for end in range(len(search)):
        counts = Counter(d.arm for d in search[: end + 1])
        assert max(counts.values()) - min(counts[a] for a in ("equal", "dwa", "inst")) <= 1
    assert Counter(d.arm for d in dealt if d.phase == "confirm") == {
        "equal": 2,
        "dwa": 2,
        "inst": 2,
    }


def test_stopped_trials_count_towards_the_budget() -> None:
    dealt = play(searcher_of(make_space()), lambda d: "pruned" if d.params else "completed")
    assert Counter(d.arm for d in dealt if d.phase == "search") == dict.fromkeys(
        ("equal", "dwa", "inst"), 8
    )


def test_keys_name_phase_arm_and_number_or_seed() -> None:
    keys = [d.trial_key for d in play(searcher_of(make_space()))]
    assert len(set(keys)) == len(keys)
    assert "search-dwa-003" in keys
    assert "confirm-dwa-seed2" in keys


def test_conditions_hold_and_arms_share_the_seed_of_the_search() -> None:
    for dealt in play(searcher_of(make_space(base={"epochs": NUM_EPOCHS, "seed": 7}))):
        assert ("weighting.temperature" in dealt.params) == (dealt.arm == "dwa")
        assert dealt.seed == dealt.config["seed"]
        assert dealt.seed == 7 or dealt.phase == "confirm"
        assert dealt.num_epochs == NUM_EPOCHS
        assert dealt.config["optimizer"]["lr"] == dealt.params["optimizer.lr"]


def test_the_first_trial_of_an_arm_has_its_own_values() -> None:
    first = next(d for d in play(searcher_of(make_space())) if d.arm == "dwa")
    assert first.params == {
        "optimizer.lr": 1e-4,
        "weighting.temperature": 2.0,
        "augmentation.flip": 0.5,
    }


def test_the_best_configuration_is_confirmed_with_every_seed() -> None:
    dealt = play(
        searcher_of(make_space()),
        lambda d: "failed" if d.seed == 0 and d.trial_key.endswith("000") else "completed",
    )
    for arm in ("equal", "dwa", "inst"):
        tried = [d for d in dealt if d.arm == arm and d.phase == "search"][1:]
        best = min(tried, key=lambda d: abs(math.log10(d.params["optimizer.lr"]) + 4))
        confirmed = [d for d in dealt if d.arm == arm and d.phase == "confirm"]
        assert [d.seed for d in confirmed] == [1, 2]
        assert all(d.params == best.params for d in confirmed)


def test_an_arm_whose_search_failed_is_not_confirmed() -> None:
    searcher = searcher_of(make_space())
    dealt = play(searcher, lambda d: "failed" if d.arm == "dwa" else "completed")
    assert {d.arm for d in dealt if d.phase == "confirm"} == {"equal", "inst"}
    assert searcher.best("dwa") is None


def test_a_nan_objective_never_wins() -> None:
    searcher = searcher_of(make_space(search=None, confirm={"seeds": [1]}))
    assert searcher.best("equal") is None
    searcher = searcher_of(make_space())
    told = searcher.suggest("any")
    assert isinstance(told, dict)
    key = told["dealt"].trial_key
    metrics = {"val/depth/abs_rel": math.nan}
    searcher.apply(EpochEnded(trial_key=key, epoch=3, metrics=metrics, checkpoint=None, seconds=1))
    searcher.apply(TrialEnded(trial_key=key, status="completed"))
    assert searcher.best("equal") is None


def test_without_a_search_arms_are_confirmed_as_they_are() -> None:
    dealt = play(searcher_of(make_space(search=None)))
    assert [d.trial_key for d in dealt] == [
        f"confirm-{arm}-seed{seed}" for seed in (1, 2) for arm in ("equal", "dwa", "inst")
    ]
    assert all(d.params == {} for d in dealt)


def test_confirmation_waits_for_the_searches_own_trials_only() -> None:
    space = make_space()
    searcher = searcher_of(space, max_running=100)
    dealt = []
    while isinstance(told := searcher.suggest("any"), dict):
        dealt.append(told["dealt"])
    assert told is None, "the best is not known yet"
    assert len(dealt) == 24
    for trial in dealt:
        if trial.arm == "inst":
            finish(searcher, trial)
    told = searcher.suggest("any")
    assert isinstance(told, dict)
    assert told["dealt"].trial_key == "confirm-inst-seed1"


def test_no_more_run_than_are_allowed() -> None:
    searcher = searcher_of(make_space(), max_running=2)
    assert isinstance(searcher.suggest("a"), dict)
    assert isinstance(searcher.suggest("b"), dict)
    assert searcher.suggest("c") is None


def test_optuna_sees_how_trials_ended(tmp_path: Path) -> None:
    journal = tmp_path / "optuna.journal"
    ends = {"001": "pruned", "002": "failed"}
    play(
        searcher_of(make_space(), journal=journal),
        lambda d: ends.get(d.trial_key[-3:], "completed"),
    )
    storage = JournalStorage(JournalFileBackend(str(journal)))
    for arm, direction in (("dwa", "MINIMIZE"), ("inst", "MAXIMIZE")):
        study = optuna.load_study(study_name=arm, storage=storage)
        assert study.direction.name == direction
        trials = study.trials
        assert [t.state for t in trials[:4]] == [
            TrialState.COMPLETE,
            TrialState.PRUNED,
            TrialState.FAIL,
            TrialState.COMPLETE,
        ]
        assert list(trials[0].intermediate_values) == [1, 2, 3]
        assert list(trials[1].intermediate_values) == [1]


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_a_seed_decides_everything(sampler: str) -> None:
    content = make_space().model_dump(mode="json")["search"]
    content["space"]["optimizer.lr"] = {"type": "float", "low": 0.1, "high": 0.5, "step": 0.1}
    content["space"]["weighting.temperature"]["step"] = 1.5

    def params(seed: int) -> list[dict[str, Any]]:
        search = {**content, "sampler": {"name": sampler, "seed": seed}}
        return [d.params for d in play(searcher_of(make_space(search=search)))]

    assert params(0) == params(0)
    assert sampler == "grid" or params(0) != params(1)


def test_a_grid_is_tried_in_turn_and_no_point_twice() -> None:
    search = {
        "trials_per_arm": 50,
        "sampler": {"name": "grid"},
        "space": {
            "epochs": {"type": "int", "low": 1, "high": 3},
            "augmentation.flip": {"type": "categorical", "choices": [0.0, 0.5]},
        },
    }
    dealt = [d for d in play(searcher_of(make_space(search=search))) if d.phase == "search"]
    points = [tuple(d.params.values()) for d in dealt if d.arm == "dwa"]
    assert points == [(1, 0.0), (1, 0.5), (2, 0.0), (2, 0.5), (3, 0.0), (3, 0.5)]


@pytest.mark.parametrize("stop_after", [0, 1, 7, 20, 25])
def test_a_study_that_was_killed_goes_on_as_if_it_had_not_been(
    stop_after: int, tmp_path: Path
) -> None:
    space = make_space()
    undisturbed = play(searcher_of(space))
    first = searcher_of(space, journal=tmp_path / "optuna.journal")
    dealt: list[Dealt] = []
    for _ in range(stop_after):
        told = first.suggest("any")
        assert isinstance(told, dict)
        dealt.append(told["dealt"])
        finish(first, told["dealt"])
    interrupted = first.suggest("any")
    assert isinstance(interrupted, dict)
    first.save(str(tmp_path / "saved"))

    second = searcher_of(space, journal=tmp_path / "optuna.journal")
    second.restore(str(tmp_path / "saved"))
    key = interrupted["dealt"].trial_key
    second.resume({key: "somewhere"})
    told = second.suggest("any")
    assert told == {"dealt": interrupted["dealt"], "resume_from": "somewhere"}
    finish(second, interrupted["dealt"])
    dealt += [interrupted["dealt"], *play(second)]
    assert [(d.trial_key, d.params) for d in dealt] == [
        (d.trial_key, d.params) for d in undisturbed
    ]
