"""Killed at random moments, over all phases, a study ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient

from study.events import Dealt, EpochEnded, Event, Judged, Tracked
from study.ledger import Ledger
from study.runner import Settings, run_study
from study.space import Space
from study.tracking.verification import check
from tests.study.driver import PATIENCE_S, Driver, lives
from tests.study.simulated import Diarist, optuna_of, simulated_space

pytestmark = [
    pytest.mark.usefixtures("small_ray"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),
]
ASHA = {"name": "asha", "grace_epochs": 1, "reduction_factor": 2}
ARMS = ("equal", "dwa", "gls")
SEARCH = {
    "trials_per_arm": 7,
    "sampler": {"name": "tpe"},
    "space": {
        "optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True},
        "batch_size": {"type": "categorical", "choices": [4, 8, 16]},
    },
}
LARGE = simulated_space(ARMS, search=SEARCH, scheduler=ASHA, confirm={"seeds": [1, 2, 3, 4]})
SMALL = simulated_space(scheduler=ASHA, confirm={"seeds": [1]})
BOUND = simulated_space(confirm={"seeds": [1, 2], "train_on": "train+val"}, budget={"trials": 8})
NAMES = ("search", "confirm", "test")


def phase_of(events: list[Event]) -> str:
    """Where a study is that has come so far."""
    if all(isinstance(event, Dealt) for event in events):
        return "search"
    if any(isinstance(event, Judged) for event in events):
        return "test"
    started = any(event.trial_key.startswith("confirm-") for event in events)
    return "confirm" if started else "search"


def events_of(out: Path) -> list[Event]:
    """What happened, but for what MLflow's thread put in between."""
    if not (out / "space.yaml").exists():
        return []
    return [event for event in Ledger.open(out).events() if not isinstance(event, Tracked)]


def undisturbed(space: Space, directory: Path, concurrency: int = 1) -> Path:
    directory.mkdir()
    diarist = Diarist(diary=directory / "diary")
    settings = Settings(concurrency=concurrency, trainable=diarist, tracks=False)
    return run_study(space, directory / "study", settings)


def moments(events: list[Event], num_kills: dict[str, int], chance: random.Random) -> list[int]:
    """So many numbers of events in each phase, at which it is to be killed."""
    found: list[int] = []
    for phase, num in num_kills.items():
        within = [i for i in range(1, len(events)) if phase_of(events[:i]) == phase]
        found += chance.sample(within, num)
    return sorted(found)


def kill_again_and_again(
    space: Space, directory: Path, at: list[int], chance: random.Random, seconds: float
) -> Counter[str]:
    """Kills a study each time that it has come so far, and lets it end.

    Returns:
        How often it was killed in each phase.
    """
    landed: Counter[str] = Counter()
    for num_events in at:
        driver = Driver(directory, space, Diarist, seconds=seconds)
        driver.wait_until(lambda ledger, n=num_events: len(events_of(ledger.directory)) >= n)  # type: ignore[misc]
        time.sleep(chance.random() * 2 * seconds)
        code, _ = driver.stop(signal.SIGKILL)
        assert code == -signal.SIGKILL
        landed[phase_of(events_of(driver.out))] += 1
        workers = {entry["pid"] for entry in Diarist(diary=directory / "diary").entries()}
        wait_until(lambda workers=workers: not any(map(lives, workers)))  # type: ignore[misc]
    driver = Driver(directory, space, Diarist, seconds=seconds)
    _, err = driver.process.communicate(timeout=PATIENCE_S)
    assert (driver.process.returncode, err) == (0, "")
    return landed


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def tables_of(out: Path) -> dict[str, pd.DataFrame]:
    """The three tables as they lie on disk, without times and MLflow's names."""
    told = {name: pd.read_parquet(out / f"{name}.parquet") for name in ("trials", "epochs", "test")}
    by_chance = ["device_seconds", "places", "started", "ended", "mlflow_run_id"]
    told["trials"] = told["trials"].drop(columns=by_chance)
    return told


def check_whole(directory: Path, expected: Path, mlflow: MlflowClient) -> None:
    """Nothing is lost, doubled or otherwise than it would have been."""
    out = directory / "study"
    for name, table in tables_of(out).items():
        pd.testing.assert_frame_equal(table, tables_of(expected)[name], obj=name, check_exact=True)
    assert optuna_of(out) == optuna_of(expected)
    assert events_are_single(out)
    nothing_reported_is_trained_again(directory)
    check_mlflow(out, mlflow)


def events_are_single(out: Path) -> bool:
    seen = [(type(e), e.trial_key, getattr(e, "epoch", None)) for e in events_of(out)]
    return len(set(seen)) == len(seen)


def nothing_reported_is_trained_again(directory: Path) -> None:
    trials = {k: json.dumps(r.dealt.config, sort_keys=True) for k, r in records(directory).items()}
    reported = {
        (trials[event.trial_key], event.epoch): event.time
        for event in events_of(directory / "study")
        if isinstance(event, EpochEnded)
    }
    begun = Diarist(diary=directory / "diary").entries()
    assert len(begun) >= len(reported)
    for entry in begun:
        key = (json.dumps(entry["config"], sort_keys=True), entry["epoch"])
        assert key not in reported or entry["time"] <= reported[key], entry


def records(directory: Path) -> dict[str, Any]:
    return dict(Ledger.open(directory / "study").records)


def check_mlflow(out: Path, mlflow: MlflowClient) -> None:
    """Exactly one run for each trial, all of which have ended, with every epoch once."""
    experiment = mlflow.get_experiment_by_name("simulated")
    runs = {
        key: list(own)
        for key, own in by_key(mlflow.search_runs([experiment.experiment_id])).items()
    }
    known = Ledger.open(out).records
    assert set(runs) == {"study", *known}
    assert {len(own) for own in runs.values()} == {1}
    ends = {"pruned": "KILLED", "completed": "FINISHED"}
    of_trials = {key: ends[record.status] for key, record in known.items()}
    assert {key: run.info.status for key, (run,) in runs.items()} == {
        **of_trials,
        "study": "FINISHED",
    }
    assert check(Ledger.open(out), os.environ["MLFLOW_TRACKING_URI"]).differences == ()


def by_key(runs: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for run in runs:
        found.setdefault(run.data.tags["study.trial_key"], []).append(run)
    return found


def check_kills(
    space: Space,
    expected: Path,
    directory: Path,
    num_kills: dict[str, int],
    seed: int,
    seconds: float,
    statuses: tuple[str, ...] = ("completed", "pruned"),
) -> None:
    """Kills a study at random moments in each phase, and compares it to the undisturbed one."""
    chance = random.Random(seed)
    at = moments(events_of(expected), num_kills, chance)
    directory.mkdir()
    landed = kill_again_and_again(space, directory, at, chance, seconds)
    print(f"killed {dict(landed)} times, at events {at}")
    assert sum(landed.values()) == sum(num_kills.values())
    assert all(landed[phase] for phase in num_kills), landed
    assert set(Ledger.open(expected).trials().status) == set(statuses), "early stopping takes part"
    check_whole(directory, expected, MlflowClient(os.environ["MLFLOW_TRACKING_URI"]))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, small_ray: None) -> Path:
    return undisturbed(SMALL, tmp_path_factory.mktemp("small") / "expected")


@pytest.mark.usefixtures("mlflow")
def test_killed_twice_it_ends_the_same(tmp_path: Path, small: Path) -> None:
    num_kills = {"search": 1, "test": 1}
    check_kills(SMALL, small, tmp_path / "killed", num_kills, seed=0, seconds=0.2)


@pytest.mark.usefixtures("mlflow")
@pytest.mark.slow
def test_killed_twice_it_ends_at_the_same_budget(tmp_path: Path) -> None:
    """Of 6 trials to search and 4 to confirm, on both splits, 8 are paid for."""
    expected = undisturbed(BOUND, tmp_path / "expected")
    num_kills = {"search": 1, "confirm": 1}
    check_kills(BOUND, expected, tmp_path / "killed", num_kills, 2, 0.2, statuses=("completed",))
    manifests = [Ledger.open(d / "study").manifest for d in (tmp_path / "killed", expected.parent)]
    assert manifests[0]["cut_off"] == manifests[1]["cut_off"]
    assert manifests[0]["cut_off"] == {"limit": "8 trials", "phase": "confirm"}
    trials = Ledger.open(tmp_path / "killed" / "study").trials()
    assert Counter(trials.phase) == {"search": 6, "confirm": 2}


@pytest.mark.slow
@pytest.mark.usefixtures("mlflow")
def test_killed_twenty_times_it_ends_the_same(tmp_path: Path) -> None:
    expected = undisturbed(LARGE, tmp_path / "expected")
    num_kills = {"search": 9, "confirm": 6, "test": 5}
    check_kills(LARGE, expected, tmp_path / "killed", num_kills, seed=1, seconds=0.3)


@pytest.mark.slow
def test_a_killed_worker_costs_the_epoch_that_it_was_at(
    tmp_path: Path, small: Path, mlflow: MlflowClient
) -> None:
    directory = tmp_path / "killed"
    directory.mkdir()
    driver = Driver(directory, SMALL, Diarist, seconds=0.5)
    diarist = Diarist(diary=directory / "diary")
    wait_until(lambda: diarist.diary.exists() and len(diarist.entries()) >= 3)
    worker = diarist.entries()[-1]["pid"]
    os.kill(worker, signal.SIGKILL)
    _, err = driver.process.communicate(timeout=PATIENCE_S)
    assert (driver.process.returncode, err) == (0, "")
    assert len({entry["pid"] for entry in diarist.entries()}) == 2
    check_whole(directory, small, mlflow)
