"""Early stopping within an arm."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune.schedulers import TrialScheduler

from study.events import Dealt, EpochEnded, Phase
from study.goals import Objective
from study.scheduler import ArmScheduler, Rungs
from study.space import Scheduler

CONFIG = Scheduler(name="asha", grace_epochs=1, reduction_factor=3)
LOSS = Objective(metric="val/loss", mode="min")
SCORE = Objective(metric="val/score", mode="max")


def dealt(key: str, arm: str = "a", phase: Phase = "search") -> Dealt:
    return Dealt(trial_key=key, phase=phase, arm=arm, seed=0, params={}, config={}, num_epochs=9)


def decision(scheduler: ArmScheduler, trial: Dealt, epoch: int, **metrics: float) -> str:
    result = {"epoch": epoch, **{f"metrics/val/{name}": v for name, v in metrics.items()}}
    return scheduler.on_trial_result(None, SimpleNamespace(config={"dealt": trial}), result)


def test_rungs_are_powers_of_the_factor_below_the_last_epoch() -> None:
    assert Rungs(CONFIG, LOSS).milestones(9) == [1, 3]
    assert Rungs(CONFIG, LOSS).milestones(10) == [1, 3, 9]
    assert Rungs(CONFIG, LOSS).milestones(1) == []
    late = Scheduler(name="asha", grace_epochs=4, reduction_factor=1.5)
    assert Rungs(late, LOSS).milestones(11) == [4, 6, 9]


@pytest.mark.parametrize(("objective", "sign"), [(LOSS, 1), (SCORE, -1)])
def test_the_poor_end_at_a_rung_and_the_good_go_on(objective: Objective, sign: int) -> None:
    rungs = Rungs(CONFIG, objective)
    stops = [rungs.stops(str(i), 1, 9, sign * v) for i, v in enumerate([5, 4, 6, 3, 4.5])]
    assert stops == [False, False, True, False, True]
    assert not rungs.stops("9", 2, 9, sign * 100.0), "epoch 2 is no rung"


def test_the_same_epoch_again_gets_the_same_answer() -> None:
    rungs = Rungs(CONFIG, LOSS)
    assert not rungs.stops("a", 1, 9, 5.0)
    assert not rungs.stops("b", 1, 9, 1.0)
    assert not rungs.stops("a", 1, 9, 5.0)


def test_nan_is_worst_and_raises_no_rung() -> None:
    rungs = Rungs(CONFIG, LOSS)
    assert not rungs.stops("a", 1, 9, math.nan), "nobody to be worse than"
    assert not rungs.stops("b", 1, 9, 100.0)
    assert rungs.stops("c", 1, 9, math.nan)


def test_arms_are_judged_against_themselves() -> None:
    scheduler = ArmScheduler(CONFIG, {"a": LOSS, "b": SCORE})
    for number in range(5):
        assert decision(scheduler, dealt(f"a{number}"), 1, loss=0.1) == TrialScheduler.CONTINUE
    assert decision(scheduler, dealt("b0", "b"), 1, score=0.01) == TrialScheduler.CONTINUE
    assert decision(scheduler, dealt("b1", "b"), 1, score=0.001) == TrialScheduler.STOP
    assert decision(scheduler, dealt("a9"), 1, loss=9.0) == TrialScheduler.STOP
    assert decision(scheduler, dealt("a8"), 1) == TrialScheduler.STOP, "its metric is missing"
    assert scheduler.stopped == {"a9", "a8", "b1"}


def test_confirm_trials_and_studies_without_a_scheduler_are_left_alone() -> None:
    for scheduler, phase in (
        (ArmScheduler(CONFIG, {"a": LOSS}), "confirm"),
        (ArmScheduler(Scheduler(), {"a": LOSS}), "search"),
    ):
        for number, loss in enumerate([1.0, 2.0, 3.0, math.nan]):
            trial = dealt(str(number), phase=phase)  # type: ignore[arg-type]
            assert decision(scheduler, trial, 1, loss=loss) == TrialScheduler.CONTINUE


def test_a_report_without_an_epoch_is_passed_over() -> None:
    scheduler = ArmScheduler(CONFIG, {"a": LOSS})
    trial: Any = SimpleNamespace(config={"dealt": dealt("a")})
    assert scheduler.on_trial_result(None, trial, {"done": True}) == TrialScheduler.CONTINUE


def test_replayed_epochs_rebuild_the_rungs() -> None:
    live, again = (ArmScheduler(CONFIG, {"a": LOSS}) for _ in range(2))
    for number, loss in enumerate([1.0, 3.0, 2.0]):
        trial = dealt(str(number))
        decision(live, trial, 1, loss=loss)
        metrics = {"val/loss": loss}
        again.replay(
            trial,
            EpochEnded(
                trial_key=trial.trial_key, epoch=1, metrics=metrics, checkpoint=None, seconds=1
            ),
        )
    assert again.stopped == live.stopped == {"1", "2"}
    last = dealt("last")
    assert decision(live, last, 1, loss=1.2) == decision(again, last, 1, loss=1.2)
