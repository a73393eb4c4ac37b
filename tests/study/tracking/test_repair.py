"""`study track`: whatever is wrong in MLflow is found, and is right afterwards."""

from __future__ import annotations

import math
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from study.events import Dealt, EpochEnded, Event, TrialEnded
from study.files import write_atomically
from study.ledger import Ledger
from study.tracking.repair import track
from study.tracking.server import tracking_uri
from study.tracking.verification import Check, check
from tests.study.ledgers import METRIC, trial, write_study
from tests.study.tracking.test_tracker import EVENTS, everything, runs

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
DATA = {
    "data-0": {
        split: {"num_samples": num, "fingerprint": f"{split}-print"}
        for split, num in (("train", 9), ("val", 3), ("test", 2))
    }
}
KEY, NAME = "search-a-000", "val/depth/abs_rel"
Spoil = Callable[[MlflowClient, str, Path], object]


def sql(statement: str) -> Spoil:
    """A statement about one run, `:run`, put to MLflow's database directly."""

    def spoil(mlflow: MlflowClient, run: str, directory: Path) -> None:
        database = sqlite3.connect(directory / "mlflow.db")
        with database:
            assert database.execute(statement, {"run": run}).rowcount > 0
        database.close()

    return spoil


def double(mlflow: MlflowClient, run: str, directory: Path) -> None:
    """What a crash leaves before the ledger hears of a run, or an answer that is lost."""
    there = mlflow.get_run(run)
    mlflow.create_run(there.info.experiment_id, 1, tags=dict(there.data.tags))


def delete_parent(mlflow: MlflowClient, run: str, directory: Path) -> None:
    mlflow.delete_run(runs(mlflow)["study"].info.run_id)


def lose_artifacts(mlflow: MlflowClient, run: str, directory: Path) -> None:
    found = list(directory.rglob(f"{run}/artifacts"))
    assert found
    for path in found:
        shutil.rmtree(path)


def delete_all(mlflow: MlflowClient, run: str, directory: Path) -> None:
    mlflow.delete_experiment(mlflow.get_run(run).info.experiment_id)


SPOILS: dict[str, Spoil] = {
    "run deleted": lambda mlflow, run, _: mlflow.delete_run(run),
    "parent deleted": delete_parent,
    "experiment deleted": delete_all,
    "run twice": double,
    "still running": lambda mlflow, run, _: mlflow.update_run(run, "RUNNING"),
    "another status": lambda mlflow, run, _: mlflow.set_terminated(run, "FAILED"),
    "tag gone": lambda mlflow, run, _: mlflow.delete_tag(run, "study.arm"),
    "tag changed": lambda mlflow, run, _: mlflow.set_tag(run, "study.seed", "7"),
    "reason of another end": lambda mlflow, run, _: mlflow.set_tag(run, "study.reason", "none"),
    "param gone": sql("delete from params where run_uuid = :run and key = 'optimizer.lr'"),
    "param changed": sql("update params set value = '9' where run_uuid = :run and key = 'seed'"),
    "points gone": sql("delete from metrics where run_uuid = :run and step >= 2"),
    "metric gone": sql("delete from latest_metrics where run_uuid = :run"),
    "point changed": sql("update metrics set value = 9 where run_uuid = :run and step = 2"),
    "point too many": lambda mlflow, run, _: mlflow.log_metric(run, NAME, 0.75, step=2),
    "data set gone": sql("delete from inputs where destination_id = :run"),
    "artifacts gone": lose_artifacts,
}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study with all that MLflow shows, but for its report."""
    events = [
        replace(event, system={"memory_mib": 100.0 + event.epoch})
        if isinstance(event, EpochEnded)
        else event
        for event in EVENTS
    ]
    directory = write_study(tmp_path / "study", events, data=DATA)
    for epoch in (2, 3):
        write_atomically(directory / "pictures" / KEY / f"epoch-{epoch:03d}.png", b"a picture")
    write_atomically(directory / "requirements.txt", "# Python 3.11\nnumpy==2\n")
    write_atomically(directory / "figures" / "panel-a.png", b"a panel")
    return directory


def looked_over(directory: Path) -> Check:
    return check(Ledger.open(directory), tracking_uri())


def test_all_of_the_ledger_is_there(mlflow: MlflowClient, study: Path) -> None:
    assert len(looked_over(study).differences) == 1 + len(Ledger.open(study).records)
    found = track(study)
    assert found.num_runs == 5
    there = runs(mlflow)
    run, tested = there[KEY], there["confirm-a-seed1"]
    names = {f.path for f in mlflow.list_artifacts(run.info.run_id, "pictures")}
    assert names == {"pictures/epoch-002.png", "pictures/epoch-003.png"}
    assert run.data.metrics["system/memory_mib"] == 103.0
    contexts = [
        sorted(i.tags[0].value for i in one.inputs.dataset_inputs)
        for one in (run, tested, there["study"])
    ]
    assert contexts == [["train", "val"], ["test", "train", "val"], ["test", "train", "val"]]
    digests = {i.dataset.digest for i in tested.inputs.dataset_inputs}
    assert digests == {"train-print", "val-print", "test-print"}
    assert {i.dataset.name for i in tested.inputs.dataset_inputs} == {"driveworld"}
    files = {f.path for f in mlflow.list_artifacts(there["study"].info.run_id)}
    assert files == {"space.yaml", "manifest.json", "requirements.txt", "figures"}


@pytest.mark.parametrize("name", SPOILS)
def test_whatever_is_wrong_is_found_and_mended(
    mlflow: MlflowClient, study: Path, tmp_path: Path, name: str
) -> None:
    track(study)
    good = looked_over(study)
    assert good.differences == ()
    SPOILS[name](mlflow, runs(mlflow)[KEY].info.run_id, tmp_path)
    assert looked_over(study).differences, "it is seen"
    mended = track(study)
    assert (mended.differences, mended.num_values) == ((), good.num_values)
    assert looked_over(study) == good
    before = everything(mlflow)
    assert track(study) == good
    assert everything(mlflow) == before, "doing it again changes nothing"


def test_what_others_put_there_stays(mlflow: MlflowClient, study: Path) -> None:
    track(study)
    run = runs(mlflow)[KEY].info.run_id
    mlflow.set_tag(run, "team", "mine")
    mlflow.log_param(run, "room", "12")
    mlflow.log_metric(run, "own/metric", 1.0)
    assert looked_over(study).differences == ()
    mlflow.update_run(run, "RUNNING")
    track(study)
    kept = mlflow.get_run(run).data
    assert (kept.tags["team"], kept.params["room"], kept.metrics["own/metric"]) == ("mine", "12", 1)


def test_runs_of_an_earlier_version_are_brought_up(mlflow: MlflowClient, study: Path) -> None:
    """They had the whole configuration as params, no mark, and FINISHED for what was pruned."""
    experiment = mlflow.create_experiment("told")
    tags = {"study.id": "told-1", "study.trial_key": "search-a-001", "study.status": "pruned"}
    run = mlflow.create_run(experiment, 1767225600000, tags)
    mlflow.log_param(run.info.run_id, "epochs", "1")
    mlflow.log_metric(run.info.run_id, NAME, 1.0, timestamp=1767227400000, step=1)
    mlflow.set_terminated(run.info.run_id)
    assert track(study).differences == ()
    brought_up = runs(mlflow)["search-a-001"]
    assert brought_up.info.run_id == run.info.run_id
    assert brought_up.info.status == "KILLED"


def test_a_study_that_was_interrupted_has_no_run_that_runs(
    mlflow: MlflowClient, tmp_path: Path
) -> None:
    cut_off = trial("b", 1, status="running")
    track(write_study(tmp_path / "study", [*EVENTS, *cut_off], ended=None))
    found = runs(mlflow)
    assert "RUNNING" not in {run.info.status for run in found.values()}
    reason = found["confirm-b-seed1"].data.tags["study.reason"]
    assert reason.startswith("interrupted after epoch 1 of 1 ")
    assert found["study"].info.status == "KILLED"


NASTY = (
    "../../etc/passwd", "/abs", "a//b", ".", "", "λ/ü", "x" * 400, "a\nb", "100%", "a:b", "a;b",
    "\x1b[31m", "\0", "'; drop table runs; --", "{{7*7}}", "<script>alert(1)</script>",
)  # fmt: skip
VALUES = (math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 0.1, 0)


def nasty_trial(error: str, number: int) -> list[Event]:
    """A failed trial whose metrics, settings and error are such as nobody foresaw."""
    dealt, *epochs, ended = trial("a", phase="search", number=number, status="failed", epochs=3)
    assert isinstance(dealt, Dealt)
    assert isinstance(ended, TrialEnded)
    names = dict(zip(NASTY, VALUES * 2, strict=True))
    return [
        replace(dealt, params={**dict.fromkeys(NASTY, error), "optimizer.lr": math.nan}),
        *(replace(e, metrics=names, tuned={error: error}) for e in epochs),  # type: ignore[call-arg]
        replace(ended, error=error),
    ]


def test_odd_names_texts_and_values_break_nothing(mlflow: MlflowClient, tmp_path: Path) -> None:
    texts = [*NASTY, "x" * 20_000, "\x1b\0" * 5000]
    events = [event for i, text in enumerate(texts) for event in nasty_trial(text, i)]
    study = write_study(tmp_path / "study", [*events, *trial("a", 1, test={METRIC: math.inf})])
    assert track(study).differences == ()
    assert set(tmp_path.parent.glob("etc*")) == set()
    found = runs(mlflow)
    assert len(found["search-a-000"].data.metrics) == len(NASTY) + 1
    assert {len(found[f"search-a-{i:03d}"].data.params) for i in range(len(texts))} == {
        len(NASTY) + 4
    }
    before = everything(mlflow)
    track(study)
    assert everything(mlflow) == before
