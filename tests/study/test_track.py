"""`python -m study.track`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from study import track
from study.ledger import Ledger
from study.tracking.server import DEFAULT_URI
from tests.study.ledgers import trial, write_study

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


def run(directory: Path) -> int:
    return track.main([str(directory)])


def test_on_its_first_use_it_makes_a_database_and_says_where(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", trial("a", 1))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environment.pop("MLFLOW_TRACKING_URI", None)
    found = subprocess.run(
        [sys.executable, "-m", "study.track", "study"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert (found.returncode, found.stderr) == (0, "")
    told = rf"study: up to date at {DEFAULT_URI}: 2 runs, (\d+) values checked\n"
    assert re.fullmatch(told, found.stdout)
    mlflow = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    assert len(mlflow.search_runs([mlflow.get_experiment_by_name("told").experiment_id])) == 2
    assert Ledger.open(study).trials().mlflow_run_id.notna().all()


@pytest.mark.parametrize("problem", ["no study", "under way", "no server"])
def test_what_cannot_be_tracked_is_told_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    problem: str,
) -> None:
    study = tmp_path / "study"
    expected = f"expected a study directory with a space.yaml, found {study}"
    if problem != "no study":
        write_study(study, trial("a", 1))
    if problem == "under way":
        held = Ledger.open(study, writable=True)
        expected = f"{study} is in use: another process"
    if problem == "no server":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{study}/space.yaml/mlflow.db")
        expected = f"MLflow at sqlite:///{study}/space.yaml/mlflow.db: "
    assert run(study) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {expected}")
    assert err.count("\n") == 1
    if problem == "under way":
        held.close()
