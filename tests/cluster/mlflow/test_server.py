"""A team's server, for real: nothing here is a stand-in but the object store."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from cluster import process
from cluster.mlflow import server
from cluster.mlflow.__main__ import main
from cluster.mlflow.postgres import Postgres
from cluster.mlflow.settings import Settings
from cluster.mlflow.users import add_user
from study.runner import Settings as Run
from study.runner import run_study
from study.simulate import Simulated
from study.tracking.repair import track
from tests.cluster.mlflow.conftest import BUCKET, KEYS, Team, free_port
from tests.study.simulated import simulated_space
from tests.study.tracking.trained import EVENTS, IMAGES, NAME, load_champion, write_trained

SPACE = simulated_space(confirm={"seeds": [1, 2]})


@pytest.fixture
def as_user(team: Team, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Logs a new user in, and gives the client of it."""

    def log_in(name: str) -> MlflowClient:
        password = add_user(team.address, team.secrets.admin, name)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", team.address)
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
        return MlflowClient(team.address)

    return log_in


def seen(client: MlflowClient, experiment: str) -> dict[str, Any]:
    """What is told of each trial, but for where it is kept."""
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    told = {}
    for run in client.search_runs([found.experiment_id]):
        told[run.data.tags["study.trial_key"]] = (
            run.info.status,
            run.info.start_time,
            run.info.end_time,
            run.data.params,
            {k: v for k, v in run.data.tags.items() if k.startswith("study.")},
            {
                name: sorted(
                    (p.step, p.timestamp, p.value)
                    for p in client.get_metric_history(run.info.run_id, name)
                )
                for name in run.data.metrics
            },
            sorted(file.path for file in client.list_artifacts(run.info.run_id)),
        )
    return told


def test_a_study_holds_the_same_there_as_in_a_file_of_ones_own(
    team: Team,
    as_user: Any,
    mlflow: MlflowClient,
    small_ray: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = run_study(SPACE, tmp_path / "study", Run(trainable=Simulated(), concurrency=1))
    here = seen(mlflow, "simulated")
    theirs = as_user("ada")
    track(out)
    there = seen(theirs, "simulated")
    assert len(there) == 1 + 2 * (3 + 2)
    assert there == here
    told = team.client().list_objects_v2(Bucket=BUCKET, Prefix="mlflow/")
    kept = {item["Key"] for item in told["Contents"]}
    assert any(key.endswith("/report.html") for key in kept)


def registered(client: MlflowClient) -> Any:
    """The models of a study, what is said of them, and what the best of them predicts."""
    versions = client.search_model_versions(f"name = '{NAME}'")
    told = {
        version.tags["study.trial_key"]: (version.tags, version.description) for version in versions
    }
    aliases = dict(client.get_registered_model(NAME).aliases)
    return told, sorted(aliases), load_champion().predict(IMAGES)


def test_models_are_the_same_there_too(
    team: Team, as_user: Any, mlflow: MlflowClient, tmp_path: Path
) -> None:
    study = write_trained(tmp_path / "study", EVENTS)
    track(study)
    *here, predicted = registered(mlflow)
    theirs = as_user("edith")
    track(study)
    *there, predicted_there = registered(theirs)
    assert there == here
    assert predicted.keys() == predicted_there.keys()
    for name, array in predicted.items():
        assert np.array_equal(array, predicted_there[name]), name


def test_a_study_runs_into_it(
    as_user: Any, small_ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    client = as_user("grace")
    space = SPACE.model_copy(update={"study": "into-it"})
    run_study(space, tmp_path / "study", Run(trainable=Simulated(), concurrency=2))
    told = seen(client, "into-it")
    assert {status for status, *_ in told.values()} == {"FINISHED"}
    assert len(told) == 11


def test_nobody_gets_in_without_a_password_and_none_writes_what_is_anothers(
    team: Team, as_user: Any
) -> None:
    search = f"{team.address}/api/2.0/mlflow/experiments/search"
    for told in ({}, {"auth": ("admin", "wrong")}):
        answer = requests.post(search, json={"max_results": 1}, timeout=10, **told)
        assert answer.status_code == 401
    experiment = as_user("owner").create_experiment("owned")
    guest = as_user("guest")
    assert guest.get_experiment(experiment).name == "owned"
    with pytest.raises(MlflowException, match=r"403|[Pp]ermission"):
        guest.create_run(experiment)
    with pytest.raises(ValueError, match="user 'guest': expected a new user, found: 400"):
        add_user(team.address, team.secrets.admin, "guest")


def test_killed_it_starts_again_and_has_what_it_had(team: Team, as_user: Any) -> None:
    client = as_user("killer")
    run = client.create_run(client.create_experiment("kept"))
    client.log_batch(run.info.run_id, params=[])
    home = team.settings.home
    found = process.find(home / "server.pid")
    assert found is not None
    for each in [*found.children(recursive=True), found]:
        each.kill()
    psutil.wait_procs([found], timeout=10)
    assert not server.is_up(home)
    team.start()
    team.start()  # what runs already, stays
    assert client.get_run(run.info.run_id).info.run_id == run.info.run_id


def test_passwords_are_seen_by_nobody_else(team: Team) -> None:
    told = [*team.secrets.model_dump().values(), KEYS["AWS_SECRET_ACCESS_KEY"]]
    for running in psutil.process_iter(["cmdline"]):
        command = " ".join(running.info["cmdline"] or [])
        assert not any(secret in command for secret in told), command[:80]
    home = team.settings.home
    for path in (home / "server.log", home / "settings.json", home / "postgres" / "postgres.log"):
        text = path.read_text(errors="replace")
        assert not any(secret in text for secret in told), path
    for name in ("secrets.json", "users.ini"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600


def test_its_command_line_starts_and_stops_it(
    short_home: Path, postgres_installed: None, capfd: pytest.CaptureFixture[str]
) -> None:
    home, port = short_home / "other", str(free_port())
    up = ["up", "--home", str(home), "--port", port, "--workers", "1"]
    assert main(["status", "--home", str(home)]) == 2
    assert "expected the directory of a server, found none" in capfd.readouterr().err
    assert main(up) == 0
    assert f"MLflow runs at http://127.0.0.1:{port}." in capfd.readouterr().out
    assert main(["status", "--home", str(home)]) == 0
    assert main(["add-user", "--home", str(home), "mary"]) == 0
    assert "export MLFLOW_TRACKING_USERNAME=mary\n" in capfd.readouterr().out
    second = ["up", "--home", str(short_home / "third"), "--port", port]
    assert main(second) == 2
    assert "to be free, found another server there" in capfd.readouterr().err
    assert main(["down", "--home", str(home)]) == 0
    assert main(["status", "--home", str(home)]) == 1
    assert main(["down", "--home", str(home)]) == 0
    assert "it did not run" in capfd.readouterr().out
    main(["down", "--home", str(short_home / "third")])


def test_a_postgresql_of_ones_own_will_do(
    short_home: Path, postgres_installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Postgres(short_home / "db", short_home / "db" / "run", "0123456789abcdef")
    database.start()
    monkeypatch.setenv("TEAM_DB", database.url("mlflow").replace("+psycopg", ""))
    home = short_home / "fourth"
    try:
        address = server.up(Settings(home=home, port=free_port(), database="TEAM_DB", workers=1))
        assert not (home / "postgres").exists()
        answer = requests.get(f"{address}/health", timeout=10)
        assert answer.status_code == 200
        assert "0123456789abcdef" not in json.dumps((home / "settings.json").read_text())
    finally:
        server.down(home)
        database.stop()
