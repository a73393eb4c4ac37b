"""What the engine costs: a study of simulated trainings beside plain Ray Tune, and beside a bare
Optuna loop, with the same trainings, reports and checkpoints.

Run by hand: `pytest -m slow -s tests/benchmarks/test_engine_speed.py`; 10,000 trials take half an
hour. The ratios are what counts, not the seconds.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
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
MOST_LEAN = 1000
"""More trials than these take long enough without it."""


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


@dataclass(frozen=True)
class Cost:
    """What a trial takes."""

    wall_s: float
    """From the end of the first trial to the end of the last, when nothing is starting."""
    driver_s: float
    """Of the driver's cores over the whole run, which a busy machine changes little."""


def measured(work: Callable[[], float], num_trials: int) -> Cost:
    """Runs something that gives its wall time for a trial."""
    gc.collect()
    before = time.process_time()
    wall_s = work()
    return Cost(wall_s, (time.process_time() - before) / num_trials)


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


def by_ray(
    space: Space,
    out: Path,
    num_trials: int,
    sampler: str,
    patched: pytest.MonkeyPatch,
    *,
    lean: bool,
) -> float:
    """Ray Tune as its manual has it, one arm: Optuna's searcher, actors used again.

    Plain, it writes result files and its own state, as it does unless told otherwise. Lean, it
    writes nothing but checkpoints, so that a run that is killed has to begin anew.
    """
    patched.setenv("TUNE_GLOBAL_CHECKPOINT_S", "1e9" if lean else "auto")
    patched.setenv("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1" if lean else "0")
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
            name="lean" if lean else "plain",
            storage_path=str(out),
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
        out = Path(directory)
        costs = {"the engine": measured(lambda: by_engine(space, out / "study"), num_trials)}
        for name, lean in (("plain Ray Tune", False), ("Ray Tune that keeps no state", True)):
            if not lean or num_trials <= MOST_LEAN:
                work = partial(by_ray, space, out, num_trials, sampler, monkeypatch, lean=lean)
                costs[name] = measured(work, num_trials)
    costs["a bare Optuna loop"] = measured(
        lambda: by_optuna(space, num_trials, sampler), num_trials
    )
    ours = costs["the engine"]
    for name, cost in costs.items():
        print(
            f"{num_trials} trials, {sampler}: {name} takes {cost.wall_s * 1e3:.1f} ms a trial "
            f"({cost.driver_s * 1e3:.1f} of the driver's core); "
            f"the engine {ours.wall_s / cost.wall_s:.2f} times that "
            f"({ours.driver_s / cost.driver_s:.2f})"
        )
    assert ours.wall_s < MAX_RATIO * costs["plain Ray Tune"].wall_s
