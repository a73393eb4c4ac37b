"""The registry shows the best models of a study, however often it is told."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from study.events import Event
from study.ledger import Ledger
from study.tracking import models
from study.tracking.model_files import requirements
from study.tracking.models import alias_of, model_name
from study.tracking.repair import track
from study.tracking.tracker import Tracker
from tests.study.ledgers import told_space, trial, write_study
from tests.study.tracking.trained import (
    EVENTS,
    IMAGES,
    NAME,
    confirm,
    kept,
    load_champion,
    save_network,
    write_trained,
)

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


def versions(mlflow: MlflowClient) -> dict[str, ModelVersion]:
    """By trial key, of which no two are the same."""
    found = list(mlflow.search_model_versions(f"name = '{NAME}'"))
    keyed = {f"{v.tags['study.id']} {v.tags['study.trial_key']}": v for v in found}
    assert len(keyed) == len(found), "two versions of one model"
    return keyed


def aliases(mlflow: MlflowClient) -> dict[str, str]:
    """Trial key by alias."""
    keys = {str(v.version): v.tags["study.trial_key"] for v in versions(mlflow).values()}
    held = mlflow.get_registered_model(NAME).aliases
    return {alias: keys[str(version)] for alias, version in held.items()}


def run_of(mlflow: MlflowClient, key: str) -> Run:
    (found,) = mlflow.search_runs(["1"], f"tags.`study.trial_key` = '{key}'")
    return found


def test_the_best_of_each_arm_is_registered_under_its_alias(
    mlflow: MlflowClient, trained: Path
) -> None:
    track(trained)
    assert set(versions(mlflow)) == {"told-1 confirm-a-seed2", "told-1 confirm-b-seed1"}
    assert aliases(mlflow) == {
        "a": "confirm-a-seed2",
        "b": "confirm-b-seed1",
        "champion": "confirm-b-seed1",
    }
    tags = dict(versions(mlflow)["told-1 confirm-a-seed2"].tags)
    assert len(tags.pop("study.digest")) == 64
    assert tags == {
        "study.id": "told-1",
        "study.started": "2026-01-01T00:00:00.000+00:00",
        "study.arm": "a",
        "study.trial_key": "confirm-a-seed2",
        "study.seed": "2",
        "val/depth/abs_rel": "0.400 (arm: 0.450 ± 0.071 over 2 seeds)",
        "test/depth/abs_rel": "0.200 (arm: 0.150 ± 0.071 over 2 seeds)",
    }


def test_a_model_belongs_to_the_run_of_its_trial_which_stays_as_it_was(
    mlflow: MlflowClient, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(models, "holds_network", lambda _: False)
        track(trained)
    before = run_of(mlflow, "confirm-b-seed1")
    assert not mlflow.search_registered_models()
    track(trained)
    after = run_of(mlflow, "confirm-b-seed1")
    assert vars(after.info) == vars(before.info)
    assert after.data.to_dictionary() == before.data.to_dictionary()
    (logged,) = mlflow.search_logged_models(["1"], "name = 'confirm-b-seed1'")
    assert logged.source_run_id == after.info.run_id
    assert logged.status == "READY"
    assert [output.model_id for output in after.outputs.model_outputs] == [logged.model_id]


def test_doing_it_again_changes_nothing(mlflow: MlflowClient, trained: Path) -> None:
    track(trained)
    before = [dict(v) for v in versions(mlflow).values()]
    track(trained)
    assert [dict(v) for v in versions(mlflow).values()] == before
    assert len(mlflow.search_logged_models(["1"])) == len(before) == 2


def test_what_was_cut_off_is_completed(
    mlflow: MlflowClient, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(*told: Any, **more: Any) -> None:
        raise ConnectionError("the wire\nis cut")

    for step in ("log_model_artifacts", "create_model_version", "set_registered_model_alias"):
        with monkeypatch.context() as patch:
            patch.setattr(MlflowClient, step, no_answer)
            with pytest.raises(ValueError, match=r"ConnectionError: the wire is cut$"):
                track(trained)
    track(trained)
    assert len(versions(mlflow)) == len(mlflow.search_logged_models(["1"])) == 2
    assert set(load_champion().predict(IMAGES)) == {"depth_m", "instances"}


def test_a_failure_is_told_and_loses_nothing(mlflow: MlflowClient, trained: Path) -> None:
    (trained / "checkpoints" / "confirm-a-seed2" / "state.pt").write_bytes(b"half of it")
    ledger, said = Ledger.open(trained, writable=True), list[str]()
    Tracker(ledger, said.append).close()
    ledger.close()
    (line,) = said
    assert line.startswith("Note: MLflow does not have all of this study (ValueError: ")
    assert "state.pt: expected a whole checkpoint" in line
    runs = mlflow.search_runs(["1"])
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_a_study_that_is_not_over_registers_nothing(mlflow: MlflowClient, tmp_path: Path) -> None:
    track(write_trained(tmp_path / "study", EVENTS, ended=None))
    assert not mlflow.search_registered_models()


def test_what_holds_no_network_is_passed_over(mlflow: MlflowClient, tmp_path: Path) -> None:
    trained = write_study(tmp_path / "study", EVENTS)
    for key in ("confirm-a-seed2", "confirm-b-seed1"):
        (trained / "checkpoints" / key).mkdir(parents=True)
        (trained / "checkpoints" / key / "state.json").write_text("{}")
    track(trained)
    assert not mlflow.search_registered_models()
    assert not mlflow.search_logged_models(["1"])


def test_a_server_that_lost_all_is_told_anew(
    mlflow: MlflowClient, trained: Path, empty_mlflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track(trained)
    shutil.copy(empty_mlflow, trained.parent / "anew.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{trained.parent}/anew.db")
    track(trained)
    assert aliases(MlflowClient()) == aliases(mlflow)


def test_more_seeds_move_the_alias_and_renew_what_is_told(
    mlflow: MlflowClient, trained: Path
) -> None:
    track(trained)
    better = confirm("a", 3, val=0.2, test=0.0)
    ledger = Ledger.open(trained, writable=True)
    for event in better:
        ledger.append(event)
    ledger.close()
    save_network(trained / "checkpoints" / "confirm-a-seed3")
    track(trained)
    found = versions(mlflow)
    assert len(found) == 3
    assert aliases(mlflow)["a"] == "confirm-a-seed3"
    assert aliases(mlflow)["champion"] == "confirm-b-seed1"
    tags = found["told-1 confirm-a-seed3"].tags
    assert tags["val/depth/abs_rel"] == "0.200 (arm: 0.367 ± 0.153 over 3 seeds)"
    ledger = Ledger.open(trained, writable=True)
    for event in confirm("b", 2, val=0.5):
        ledger.append(event)
    ledger.close()
    track(trained)
    assert aliases(mlflow)["champion"] == "confirm-a-seed3"
    tags = versions(mlflow)["told-1 confirm-b-seed1"].tags
    assert tags["val/depth/abs_rel"] == "0.300 (arm: 0.400 ± 0.141 over 2 seeds)"


def test_another_training_under_the_same_key_is_another_version(
    mlflow: MlflowClient, trained: Path
) -> None:
    track(trained)
    save_network(trained / "checkpoints" / "confirm-b-seed1", seed=77)
    track(trained)
    found = mlflow.search_model_versions(f"name = '{NAME}'")
    assert len(found) == 3
    newest = max(found, key=lambda version: int(version.version))
    assert mlflow.get_registered_model(NAME).aliases["b"] == newest.version


def test_aliases_go_to_the_newest_study_of_the_name_in_whatever_order_they_are_told(
    mlflow: MlflowClient, trained: Path, tmp_path: Path
) -> None:
    later = {"study_id": "told-2", "started": "2026-02-01T00:00:00.000+00:00"}
    newer = write_trained(tmp_path / "newer", confirm("a", 3, 0.6), **later)
    track(newer)
    track(trained)
    assert len(versions(mlflow)) == 3
    assert aliases(mlflow) == {
        "a": "confirm-a-seed3",
        "champion": "confirm-a-seed3",
        "b": "confirm-b-seed1",
    }


@pytest.mark.parametrize(
    ("arm", "alias"),
    [
        ("mt-dwa", "mt-dwa"),
        ("Champion", "arm-Champion"),
        ("LATEST", "arm-LATEST"),
        ("v1", "arm-v1"),
        ("v1b", "v1b"),
        ("arm-v1", "arm-arm-v1"),
    ],
)
def test_an_arm_never_gets_an_alias_that_means_something_else(arm: str, alias: str) -> None:
    assert alias_of(arm) == alias


def test_arms_of_any_name_are_registered(mlflow: MlflowClient, tmp_path: Path) -> None:
    arms = ["champion", "latest", "v1", "arm-v1", "x" * 64]
    space = told_space(
        study="w" * 64,
        arms={arm: {} for arm in arms},
        compare={"baseline": "v1", "metrics": ["test/depth/abs_rel"]},
    )
    events = [event for number, arm in enumerate(arms) for event in confirm(arm, 1, 1.0 + number)]
    track(write_trained(tmp_path / "study", events, space))
    name = model_name("w" * 64)
    held = mlflow.get_registered_model(name).aliases
    assert set(held) == {"champion", *map(alias_of, arms)}
    champion = mlflow.get_model_version(name, held["champion"])
    assert champion.tags["study.arm"] == "champion"


def test_requirements_are_those_of_the_study_without_builds(
    mlflow: MlflowClient, tmp_path: Path
) -> None:
    told = {"python": "3.12.1", "mtdepth": "0.1.0", "torch": "2.13.0+cpu", "ray": "2.60.0"}
    assert requirements(told) == ["mtdepth==0.1.0", "torch==2.13.0"]
    track(write_trained(tmp_path / "study", confirm("a", 1, 0.5), versions=told))
    source = Path(versions(mlflow)["told-1 confirm-a-seed1"].source)
    (own, *rest) = sorted((source / "requirements.txt").read_text().split())
    assert own.startswith("mlflow==")
    assert rest == ["mtdepth==0.1.0", "torch==2.13.0"]


def test_a_study_that_confirms_nothing_registers_the_best_of_its_search(
    mlflow: MlflowClient, tmp_path: Path
) -> None:
    events: list[Event] = [
        *kept(trial("a", phase="search", number=0, val=0.5)),
        *kept(trial("a", phase="search", number=1, val=0.4)),
    ]
    track(write_trained(tmp_path / "study", events, told_space(confirm={"seeds": []})))
    (version,) = versions(mlflow).values()
    assert version.tags["study.trial_key"] == "search-a-001"
    assert version.tags["val/depth/abs_rel"] == "0.400"
