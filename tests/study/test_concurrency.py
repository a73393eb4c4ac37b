"""How many trials run at once changes what a study finds only where `docs/engine.md` says so."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ray.tune.search import Searcher

from study.events import Dealt, EpochEnded, TrialEnded
from study.runner import Settings, run_study
from study.scheduler import ArmScheduler
from study.searcher import ArmSearcher
from study.simulate import Simulated
from study.space import Space
from study.trainable import Report
from tests.study.simulated import OBJECTIVE, simulated_space, told

ARMS = ("equal", "dwa", "uncertainty", "gls")
ASHA = {"name": "asha", "grace_epochs": 1, "reduction_factor": 2}
NO_SCHEDULER = {"name": "none"}
NUM_TRIALS = 9


def make_space(sampler: str, scheduler: Mapping[str, Any]) -> Space:
    search = {
        "trials_per_arm": NUM_TRIALS,
        "sampler": {"name": sampler},
        "space": {"optimizer.lr": {"type": "float", "low": 1e-4, "high": 1e-3, "step": 1e-4}},
    }
    return simulated_space(
        ARMS, search=search, scheduler=scheduler, confirm={"seeds": [1, 2]}, resources={"cpus": 0.5}
    )


def play(space: Space, at_once: int, seed: int) -> dict[str, tuple[Any, ...]]:
    """A study without Ray, whose trials report in an order that chance decides.

    Returns:
        Of each trial what was tried, for how many epochs, and how it ended.
    """
    chance = random.Random(seed)
    objectives = {arm: space.objective_of(arm) for arm in space.arms}
    searcher = ArmSearcher(space, objectives, max_running=at_once)
    scheduler = ArmScheduler(space.scheduler, objectives)
    running: dict[str, list[EpochEnded]] = {}
    dealt: dict[str, Dealt] = {}
    found: dict[str, tuple[Any, ...]] = {}
    while (proposed := searcher.suggest("any")) != Searcher.FINISHED:
        if isinstance(proposed, dict):
            trial = proposed["dealt"]
            dealt[trial.trial_key], running[trial.trial_key] = trial, curve(trial)
            continue
        key = chance.choice(sorted(running))
        event = running[key].pop(0)
        searcher.apply(event)
        scheduler.replay(dealt[key], event)
        stopped = key in scheduler.stopped
        if stopped or not running[key]:
            del running[key]
            status = "pruned" if stopped else "completed"
            searcher.apply(TrialEnded(trial_key=key, status=status))  # type: ignore[arg-type]
            found[key] = (dealt[key].params, dealt[key].seed, event.epoch, status)
    return found


def curve(trial: Dealt) -> list[EpochEnded]:
    """What a trial would report."""
    events: list[EpochEnded] = []

    def report(metrics: dict[str, float], _: Path) -> None:
        event = EpochEnded(
            trial_key=trial.trial_key,
            epoch=int(metrics["epoch"]),
            metrics=metrics,
            checkpoint=None,
            seconds=0,
        )
        events.append(event)

    Simulated().fit(trial.config, report, None)
    return events


@pytest.mark.parametrize("at_once", [2, 3, 4])
@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
@pytest.mark.parametrize("scheduler", [NO_SCHEDULER, ASHA], ids=["none", "asha"])
def test_with_no_more_at_once_than_arms_nothing_differs(
    sampler: str, scheduler: dict[str, Any], at_once: int
) -> None:
    space = make_space(sampler, scheduler)
    alone = play(space, 1, seed=0)
    assert len(alone) == len(ARMS) * (NUM_TRIALS + 2)
    assert (scheduler is ASHA) == ("pruned" in {row[-1] for row in alone.values()})
    for seed in range(3):
        assert play(space, at_once, seed) == alone


@pytest.mark.parametrize("at_once", [5, 40])
@pytest.mark.parametrize("sampler", ["random", "grid"])
def test_draws_and_grids_without_early_stopping_never_differ(sampler: str, at_once: int) -> None:
    space = make_space(sampler, NO_SCHEDULER)
    assert play(space, at_once, seed=1) == play(space, 1, seed=0)


@pytest.mark.parametrize(("sampler", "scheduler"), [("tpe", NO_SCHEDULER), ("random", ASHA)])
def test_what_differs_with_more_at_once_than_arms_is_neither_budget_nor_seed(
    sampler: str, scheduler: dict[str, Any]
) -> None:
    space = make_space(sampler, scheduler)
    alone, many = play(space, 1, seed=0), play(space, 8, seed=0)
    assert many != alone
    assert {key: row[1] for key, row in many.items()} == {k: row[1] for k, row in alone.items()}
    assert set(Counter(key.rsplit("-", 1)[0] for key in many).values()) == {NUM_TRIALS, 2}
    if sampler == "random":
        searched = [key for key in alone if key.startswith("search-")]
        assert all(many[key][0] == alone[key][0] for key in searched)


class Uneven(Simulated):
    """Its trainings take different times."""

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        time.sleep(config["optimizer"]["lr"] * 300)
        super().fit(config, report, resume_from)


@pytest.mark.slow
@pytest.mark.usefixtures("small_ray")
@pytest.mark.parametrize(
    ("sampler", "scheduler"), [("tpe", ASHA), ("random", NO_SCHEDULER), ("grid", ASHA)]
)
def test_under_ray_it_is_the_same(sampler: str, scheduler: dict[str, Any], tmp_path: Path) -> None:
    space = make_space(sampler, scheduler)
    found = []
    for at_once in (1, 2, 4):
        settings = Settings(concurrency=at_once, trainable=Uneven(), tracks=False)
        rows = told(run_study(space, tmp_path / str(at_once), settings))
        found.append(sorted(rows, key=lambda row: row["trial_key"]))
    assert found[0] == found[1] == found[2]
    assert all(OBJECTIVE in row["metrics"] for row in found[0])
