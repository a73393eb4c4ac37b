"""What the engine costs: a study of simulated trainings beside plain Ray Tune, and beside a bare
Optuna loop, with the same trainings, reports and checkpoints.

Run by hand: `pytest -m slow -s tests/benchmarks/test_engine_speed.py`; 10,000 trials take half an
hour. The ratios are what counts, not the seconds.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
import pytest
from ray import tune
from ray.tune.search import ConcurrencyLimiter
from ray.tune.search.optuna import OptunaSearch

from study.events import TrialEnded
from study.ledger import Ledger
from study.ray_session import ray_session
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.space import Space
from tests.study.simulated import OBJECTIVE, simulated_space

ARMS = ("equal", "dwa", "uncertainty", "fixed", "gls")
MAX_RATIO = 1.2
MOST_KEPT = 1000
"""Ray Tune's state grows with the trials, and is written again and again."""


def make_space(num_trials: int, sampler: str) -> Space:
    """Five arms of two parameters and two epochs; as in most studies, the best is confirmed."""
    return simulated_space(
        ARMS,
        base={"tasks": ["depth", "instances"], "epochs": 2},
        confirm={"seeds": [1]},
        search={
            "trials_per_arm": num_trials // len(ARMS),
            "sampler": {"name": sampler},
            "space": {
                "optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True},
                "batch_size": {"type": "int", "low": 4, "high": 32},
            },
        },
    )


def between(ends: list[float]) -> float:
    """Seconds a trial, from the end of the first to the end of the last: nothing is starting."""
    return (max(ends) - min(ends)) / (len(ends) - 1)


def by_engine(space: Space, out: Path) -> float:
    run_study(space, out, Settings(concurrency=1, trainable=Simulated(), tracks=False))
    ledger = Ledger.open(out)
    budgets = Counter((record.phase, record.dealt.arm) for record in ledger.records.values())
    assert space.search
    trials = {"search": space.search.trials_per_arm, "confirm": 1}
    assert budgets == {(phase, arm): num for phase, num in trials.items() for arm in ARMS}
    ended = [event.time for event in ledger.events() if isinstance(event, TrialEnded)]
    return between([datetime.fromisoformat(time).timestamp() for time in ended])


class Clock(tune.Callback):  # type: ignore[misc]  # ray is not typed
    """Notes when trials end."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_trial_complete(self, **_: Any) -> None:
        self.ends.append(time.time())


def config_of(space: Space, number: int, params: dict[str, Any]) -> dict[str, Any]:
    return space.arm_config(ARMS[number % len(ARMS)], params)


def train(params: dict[str, Any], space: Space) -> None:
    def report(metrics: dict[str, float], checkpoint: Path) -> None:
        tune.report(metrics, checkpoint=tune.Checkpoint.from_directory(str(checkpoint)))

    number = params.pop("number", 0)
    Simulated().fit(config_of(space, number, params), report, None)


def make_sampler(name: str) -> optuna.samplers.BaseSampler:
    if name == "random":
        return optuna.samplers.RandomSampler(seed=0)
    return optuna.samplers.TPESampler(multivariate=True, constant_liar=True, seed=0)


def draw(trial: Any) -> dict[str, Any]:
    lr = trial.suggest_float("optimizer.lr", 1e-5, 1e-3, log=True)
    return {"optimizer.lr": lr, "batch_size": trial.suggest_int("batch_size", 4, 32)}


def define(trial: Any) -> None:
    draw(trial)


def by_ray(space: Space, out: Path, num_trials: int, sampler: str, *, lean: bool) -> float:
    """Ray Tune as its manual has it, one arm: Optuna's searcher, actors used again.

    Lean, it keeps every checkpoint and no state of its own: nothing of it could go on.
    """
    search = OptunaSearch(define, metric=OBJECTIVE, mode="min", sampler=make_sampler(sampler))
    clock = Clock()
    tune.Tuner(
        tune.with_resources(tune.with_parameters(train, space=space), {"cpu": 1}),
        tune_config=tune.TuneConfig(
            search_alg=ConcurrencyLimiter(search, max_concurrent=1),
            num_samples=num_trials,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="plain",
            storage_path=str(out),
            checkpoint_config=tune.CheckpointConfig(num_to_keep=None if lean else 1),
            callbacks=[clock],
            verbose=0,
        ),
    ).fit()
    assert len(clock.ends) == num_trials
    return between(clock.ends)


def by_optuna(space: Space, num_trials: int, sampler: str) -> float:
    """A loop in one process, in memory: what a trial costs where nothing can be lost."""
    study, ends = optuna.create_study(sampler=make_sampler(sampler)), []
    for number in range(num_trials):
        trial = study.ask()
        values: list[float] = []

        def report(
            metrics: dict[str, float],
            _: Path,
            trial: optuna.Trial = trial,
            values: list[float] = values,
        ) -> None:
            values.append(metrics[OBJECTIVE])
            trial.report(values[-1], len(values))

        Simulated().fit(config_of(space, number, draw(trial)), report, None)
        study.tell(trial, values[-1])
        ends.append(time.time())
    return between(ends)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("num_trials", "sampler"), [(100, "random"), (1000, "random"), (10000, "random"), (1000, "tpe")]
)
def test_a_trial_costs_little_more_than_plain_ray_tunes(
    num_trials: int, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = make_space(num_trials, sampler)
    with ray_session(space.resources), tempfile.TemporaryDirectory() as directory:
        costs = {"the engine": by_engine(space, Path(directory, "study"))}
        lean = by_ray(space, Path(directory, "lean"), num_trials, sampler, lean=True)
        costs["plain Ray Tune that keeps no state"] = lean
        if num_trials <= MOST_KEPT:
            monkeypatch.setenv("TUNE_GLOBAL_CHECKPOINT_S", "auto")
            kept = by_ray(space, Path(directory, "kept"), num_trials, sampler, lean=False)
            costs["plain Ray Tune that could go on"] = kept
    costs["a bare Optuna loop"] = by_optuna(space, num_trials, sampler)
    ours = costs["the engine"]
    for name, cost in costs.items():
        print(
            f"{num_trials} trials, {sampler}: {name} takes {cost * 1e3:.1f} ms a trial; "
            f"the engine's is {ours / cost:.2f} of it"
        )
    assert ours < MAX_RATIO * lean
