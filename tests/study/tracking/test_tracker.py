"""MLflow shows the ledger: a run a trial, whatever was killed, and however often it is told."""

from __future__ import annotations

import math
import socket
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from study.ledger import Ledger
from study.tracking import tracker
from study.tracking.mirror import Mirror
from study.tracking.repair import track
from study.tracking.server import DEFAULT_URI, tracking_uri
from study.tracking.tracker import Tracker
from tests.study.ledgers import METRIC, trial, write_study

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
EVENTS = [
    *trial("a", phase="search", number=0, params={"optimizer.lr": 1e-4}, val=0.5, epochs=3),
    *trial("b", phase="search", number=0, val=math.nan, epochs=2, status="failed", error="no luck"),
    *trial("a", phase="search", number=1, status="pruned"),
    *trial("a", 1, test={METRIC: 0.25}),
]
KEYS = {"search-a-000", "search-b-000", "search-a-001", "confirm-a-seed1"}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study", EVENTS)


def runs(mlflow: MlflowClient) -> dict[str, Run]:
    """All runs by trial key, of which no two are the same."""
    experiments = [e.experiment_id for e in mlflow.search_experiments()]
    found = list(mlflow.search_runs(experiments))
    keyed = {run.data.tags["study.trial_key"]: run for run in found}
    assert len(keyed) == len(found), "two runs of one trial"
    return keyed


def everything(mlflow: MlflowClient) -> str:
    """All that can be seen of all runs."""
    return repr(
        [
            (
                key,
                run.info.run_id,
                run.info.status,
                run.info.start_time,
                run.info.end_time,
                run.info.run_name,
                sorted(run.data.params.items()),
                sorted(run.data.tags.items()),
                [(name, points(mlflow, run, name)) for name in sorted(run.data.metrics)],
            )
            for key, run in sorted(runs(mlflow).items())
        ]
    )


def points(mlflow: MlflowClient, run: Run, metric: str) -> list[tuple[int, float]]:
    history = mlflow.get_metric_history(run.info.run_id, metric)
    return sorted((point.step, point.value) for point in history)


def test_a_study_has_one_parent_and_a_run_for_each_trial(mlflow: MlflowClient, study: Path) -> None:
    track(study)
    found = runs(mlflow)
    parent = found.pop("study")
    assert parent.info.status == "FINISHED"
    assert parent.info.run_name == "told-1"
    assert mlflow.get_experiment(parent.info.experiment_id).name == "told"
    artifacts = {file.path for file in mlflow.list_artifacts(parent.info.run_id)}
    assert artifacts == {"space.yaml", "manifest.json"}
    assert set(found) == KEYS
    assert {run.data.tags["mlflow.parentRunId"] for run in found.values()} == {parent.info.run_id}
    run = found["confirm-a-seed1"]
    tags = {name: value for name, value in run.data.tags.items() if name.startswith("study.")}
    assert tags == {
        "study.id": "told-1",
        "study.arm": "a",
        "study.phase": "confirm",
        "study.seed": "1",
        "study.trial_key": "confirm-a-seed1",
        "study.status": "completed",
        "study.config": "config.json",
        "study.written": "0 pictures, tested",
        "study.directory": str(study.resolve()),
    }


def test_runs_show_parameters_metrics_and_how_each_ended(mlflow: MlflowClient, study: Path) -> None:
    track(study)
    found = runs(mlflow)
    best, failed = found["search-a-000"], found["search-b-000"]
    assert (best.info.status, failed.info.status) == ("FINISHED", "FAILED")
    pruned = found["search-a-001"]
    assert (pruned.info.status, pruned.data.tags["study.status"]) == ("KILLED", "pruned")
    assert pruned.data.tags["study.reason"].startswith("stopped early after epoch 1 of 1: ")
    assert failed.data.tags["study.reason"] == "no luck"
    assert "study.reason" not in best.data.tags
    assert best.data.params["optimizer.lr"] == "0.0001"
    assert points(mlflow, best, "val/depth/abs_rel") == [(1, 0.5), (2, 0.5), (3, 0.5)]
    nans = points(mlflow, failed, "val/depth/abs_rel")
    assert [step for step, _ in nans] == [1, 2]
    assert all(math.isnan(value) for _, value in nans)
    assert points(mlflow, found["confirm-a-seed1"], METRIC) == [(1, 0.25)]
    assert best.info.start_time < (best.info.end_time or 0)


@pytest.mark.parametrize("ended", [None, "2026-01-01T03:00:00.000+00:00"])
def test_doing_it_again_changes_nothing(
    mlflow: MlflowClient, tmp_path: Path, ended: str | None
) -> None:
    cut_off = trial("b", 1, status="running")
    study = write_study(tmp_path / "study", [*EVENTS, *cut_off], ended=ended)
    track(study)
    before = everything(mlflow)
    track(study)
    assert everything(mlflow) == before


def test_the_ledger_hears_of_the_runs(mlflow: MlflowClient, study: Path) -> None:
    track(study)
    rows = Ledger.open(study).trials().set_index("trial_key")
    found = runs(mlflow)
    assert dict(rows.mlflow_run_id) == {key: found[key].info.run_id for key in KEYS}


def test_killed_and_resumed_each_trial_keeps_its_run(mlflow: MlflowClient, tmp_path: Path) -> None:
    done, *_ = told = [trial("a", phase="search", number=i, epochs=3) for i in range(3)]
    directory = write_study(tmp_path / "study", [*done, *told[1][:2]], ended=None)
    ledger = Ledger.open(directory, writable=True)

    def sync(is_running: bool) -> dict[str, Run]:
        mirror = Mirror(ledger, tracking_uri())
        mirror.sync(ledger.records.values(), is_running=is_running)
        if not is_running:
            mirror.close()
        return runs(mlflow)

    first = sync(is_running=True)
    assert first["study"].info.status == "RUNNING"
    assert first["search-a-001"].info.status == "RUNNING"
    for event in [*told[1][2:], *told[2][:2]]:
        ledger.append(event)
    killed = sync(is_running=False)
    assert killed["search-a-002"].info.status == "KILLED"
    assert killed["study"].info.status == "KILLED"
    again = sync(is_running=True)
    assert again["study"].info.status == again["search-a-002"].info.status == "RUNNING"
    for event in told[2][2:]:
        ledger.append(event)
    ledger.update_manifest(ended="2026-01-01T03:00:00.000+00:00")
    last = sync(is_running=False)
    ledger.close()
    assert {run.info.status for run in last.values()} == {"FINISHED"}
    for key, run in first.items():
        assert last[key].info.run_id == run.info.run_id
    for i in range(3):
        run = last[f"search-a-{i:03d}"]
        assert [step for step, _ in points(mlflow, run, "val/depth/abs_rel")] == [1, 2, 3]


def test_a_server_that_fails_is_told_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "SECONDS_TO_RETURN", 1.0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/missing/mlflow.db")
    (tmp_path / "missing").write_text("a file where a directory should be")
    ledger = Ledger.open(write_study(tmp_path / "study", EVENTS[:3]), writable=True)
    said: list[str] = []
    tracking = Tracker(ledger, said.append)
    for event in EVENTS[3:]:
        ledger.append(event)
    tracking.close()
    ledger.close()
    (line,) = said
    assert line.startswith("Note: MLflow does not have all of this study (")
    assert line.endswith(f"python -m study.track {tmp_path / 'study'}")
    assert len(Ledger.open(tmp_path / "study").trials()) == len(KEYS)
    with pytest.raises(ValueError, match=r"^MLflow at sqlite:.*missing/mlflow\.db: \w+"):
        track(tmp_path / "study")


def test_a_server_that_is_slow_is_waited_for_as_long_as_it_gets_on(
    mlflow: MlflowClient, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Mirror._sync_trial
    said: list[str] = []

    def slow(self: Mirror, *told: Any) -> None:
        time.sleep(1.0)
        real(self, *told)

    monkeypatch.setattr(Mirror, "_sync_trial", slow)
    monkeypatch.setattr(tracker, "SECONDS_TO_CLOSE", 3.0)
    ledger = Ledger.open(study, writable=True)
    Tracker(ledger, said.append).close()
    ledger.close()
    assert said == []
    assert set(runs(mlflow)) == {"study", *KEYS}


@pytest.mark.parametrize(
    ("said", "expected"), [("http://server:5000", "http://server:5000"), ("", DEFAULT_URI)]
)
def test_runs_go_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, said: str, expected: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", said)
    assert tracking_uri() == expected


def test_studies_of_one_name_share_an_experiment_and_no_run(
    mlflow: MlflowClient, study: Path, tmp_path: Path
) -> None:
    track(study)
    (experiment,) = mlflow.search_experiments(filter_string="name = 'told'")
    mlflow.delete_experiment(experiment.experiment_id)
    track(write_study(tmp_path / "other", EVENTS, study_id="told-2"))
    assert len(mlflow.search_runs([experiment.experiment_id])) == 2 * (1 + len(KEYS))


def test_a_server_that_never_answers_holds_up_neither_training_nor_the_end(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "SECONDS_BETWEEN_SYNCS", 0.1)
    monkeypatch.setattr(tracker, "SECONDS_TO_RETURN", 1.0)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    said: list[str] = []
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # takes calls, and says nothing
        port = silent.getsockname()[1]
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        ledger = Ledger.open(study, writable=True)
        tracking = Tracker(ledger, said.append)
        time.sleep(0.5)
        started = time.monotonic()
        for event in trial("b", 1):
            ledger.append(event)
        assert time.monotonic() - started < 1.0
        tracking.close()
        ledger.close()
    assert time.monotonic() - started < 30.0
    (line,) = said
    assert line.startswith("Note: MLflow does not have all of this study (MlflowException: ")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_database_that_comes_back_is_found_again_after_some_tries(
    mlflow: MlflowClient, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "SECONDS_BETWEEN_SYNCS", 0.05)
    tries: list[float] = []
    real = Mirror.__init__

    def fails_thrice(self: Mirror, *told: Any) -> None:
        tries.append(time.monotonic())
        if len(tries) <= 3:
            raise ConnectionError("nobody there")
        real(self, *told)

    monkeypatch.setattr(Mirror, "__init__", fails_thrice)
    ledger, said = Ledger.open(study, writable=True), list[str]()
    tracking = Tracker(ledger, said.append)
    while not ledger.records["confirm-a-seed1"].mlflow_run_id:
        time.sleep(0.05)
    tracking.close()
    ledger.close()
    assert said == []
    assert set(runs(mlflow)) == {"study", *KEYS}
    waits = [later - earlier for earlier, later in pairwise(tries[:4])]
    assert waits == sorted(waits), "each waits for longer than the one before"
