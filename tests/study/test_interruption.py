"""A study that is killed or interrupted goes on as if it had not been."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from study import run, runner
from study.events import Dealt, EpochEnded, Judged, Tracked, TrialEnded, encode
from study.ledger import Ledger
from study.records import TrialRecord
from study.trainable import OnProgress, SplitSummary
from tests.study.driver import Driver
from tests.study.quick import OBJECTIVE, Quick, quick_space

pytestmark = [
    pytest.mark.usefixtures("small_ray"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),
]
ASHA = {"name": "asha", "grace_epochs": 1, "reduction_factor": 2}
SPACE = quick_space(scheduler=ASHA)


def is_within_the_search(ledger: Ledger) -> bool:
    """Its second trial runs, has a checkpoint, and MLflow knows of it."""
    events = [e for e in ledger.events() if e.trial_key == "search-dwa-000"]
    return {EpochEnded, Tracked} <= {type(event) for event in events}


def told(out: Path) -> list[dict[str, Any]]:
    """What was tried and what it gave."""
    columns = ["trial_key", "phase", "arm", "seed", "status", "epochs", "params", "metrics"]
    rows: list[Any] = Ledger.open(out).trials()[columns].to_dict("records")
    return rows


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, small_ray: None) -> Path:
    directory = tmp_path_factory.mktemp("uninterrupted")
    quick = Quick(diary=directory / "diary")
    settings = runner.Settings(concurrency=1, trainable=quick, tracks=False)
    return runner.run_study(SPACE, directory / "study", settings)


def check_whole(out: Path, expected: Path, mlflow: MlflowClient) -> None:
    """No trial lost or doubled, in the ledger as in MLflow."""
    assert told(out) == told(expected)
    experiment = mlflow.get_experiment_by_name("quick")
    found = mlflow.search_runs([experiment.experiment_id])
    keys = sorted(trial.data.tags["study.trial_key"] for trial in found)
    assert keys == sorted(["study", *(row["trial_key"] for row in told(expected))])
    ends = {"completed": "FINISHED", "pruned": "KILLED"}
    ended = {trial.data.tags["study.trial_key"]: trial.info.status for trial in found}
    by_key = {row["trial_key"]: ends[row["status"]] for row in told(expected)}
    assert ended == {"study": "FINISHED", **by_key}
    assert len({trial.data.tags["study.id"] for trial in found}) == 1
    assert (out / "report.html").exists()


def test_killed_it_goes_on_as_if_it_had_not_been(
    tmp_path: Path, mlflow: MlflowClient, uninterrupted: Path
) -> None:
    driver = Driver(tmp_path, SPACE, Quick, seconds=0.5)
    driver.wait_until(is_within_the_search)
    code, _ = driver.stop(signal.SIGKILL)
    assert code == -signal.SIGKILL
    experiment = mlflow.get_experiment_by_name("quick")
    assert "RUNNING" in {r.info.status for r in mlflow.search_runs([experiment.experiment_id])}
    left = [row for row in told(driver.out) if row["status"] == "running"]
    models = list((driver.out / "ray").rglob("state.json"))
    assert len(left) <= len(models) <= 2, "only what is needed to go on is kept"
    quick = Quick(diary=tmp_path / "diary")
    before = quick.said("fit")
    runner.resume_study(driver.out, runner.Settings(concurrency=1, trainable=quick))
    check_whole(driver.out, uninterrupted, mlflow)
    after = quick.said("fit")[len(before) :]
    assert all(after[0].endswith(f"epoch {row['epochs'] + 1}") for row in left)
    assert not set(before[:-1]) & set(after), "only the epoch that was cut off is repeated"
    assert len(quick.said("judge")) == 4


def test_interrupted_it_says_how_to_go_on_and_does(
    tmp_path: Path,
    mlflow: MlflowClient,
    uninterrupted: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    driver = Driver(tmp_path, SPACE, Quick, seconds=0.5)
    driver.wait_until(is_within_the_search)
    code, err = driver.stop(signal.SIGINT)
    assert code == run.INTERRUPTED == 130
    assert err == (
        "\nInterrupted. No epoch that was reported is lost; to go on:\n"
        "  python -m study.run --resume study\n"
    )
    assert len(told(driver.out)) < len(told(uninterrupted))
    settings = partial(runner.Settings, trainable=Quick(diary=tmp_path / "diary"))
    monkeypatch.setattr(runner, "Settings", settings)
    capfd.readouterr()
    assert run.main(["--resume", str(driver.out), "--concurrency", "1"]) == 0
    check_whole(driver.out, uninterrupted, mlflow)
    said, err = capfd.readouterr()
    assert err == ""
    assert "[8/8 trials]" in said
    assert "What to look at next:" in said


def put_checkpoint(directory: Path, record: TrialRecord) -> None:
    """What a trial had left behind before it ended."""
    state = {"config": record.dealt.config, "epoch": record.num_epochs}
    directory.mkdir(parents=True)
    loss = record.metrics[OBJECTIVE]
    (directory / "state.json").write_text(json.dumps({**state, "loss": loss}))


@pytest.mark.parametrize(
    ("kind", "trial_key", "num_judged"),
    [
        (Dealt, "confirm-dwa-seed1", 4),
        (EpochEnded, "search-equal-001", 4),  # which is about to be stopped
        (EpochEnded, "confirm-equal-seed2", 4),
        (TrialEnded, "confirm-dwa-seed2", 4),  # the last training
        (Judged, None, 3),
    ],
)
def test_whatever_was_the_last_to_reach_the_disk_it_ends_the_same(
    tmp_path: Path, uninterrupted: Path, kind: type, trial_key: str | None, num_judged: int
) -> None:
    out = tmp_path / "study"
    shutil.copytree(uninterrupted, out)
    with (out / "events.jsonl").open("w") as journal:
        for event in Ledger.open(uninterrupted).events():
            journal.write(encode(event) + "\n")
            if isinstance(event, kind) and trial_key in (None, event.trial_key):
                break
    for record in Ledger.open(out).records.values():
        if record.ended is None and record.checkpoint is not None:
            put_checkpoint(out / record.checkpoint, record)
    quick = Quick(diary=tmp_path / "diary")
    runner.resume_study(out, runner.Settings(concurrency=1, trainable=quick, tracks=False))
    assert told(out) == told(uninterrupted)
    assert len(quick.said("judge")) == num_judged


class Elsewhere(Quick):
    """Finds other data than `Quick`."""

    def check_data(
        self, config: Mapping[str, Any], on_progress: OnProgress | None = None
    ) -> dict[str, SplitSummary]:
        found = super().check_data(config, on_progress)
        return {**found, "val": replace(found["val"], fingerprint="other")}


def test_it_does_not_go_on_with_other_data(uninterrupted: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    shutil.copytree(uninterrupted, out)
    before = (out / "events.jsonl").read_bytes()
    elsewhere = Elsewhere(diary=tmp_path / "diary")
    settings = runner.Settings(concurrency=1, trainable=elsewhere, tracks=False)
    with pytest.raises(ValueError, match="its val split, 3 samples with fingerprint val; found"):
        runner.resume_study(out, settings)
    assert (out / "events.jsonl").read_bytes() == before
    assert elsewhere.said("fit", "judge") == []
