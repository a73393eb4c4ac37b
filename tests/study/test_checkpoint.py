"""Where a clustering study finds its model."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient

from study.checkpoint import find_checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


def model(directory: Path) -> Path:
    directory.mkdir(parents=True)
    for name in ("config.json", "state.pt"):
        (directory / name).write_text(name)
    return directory


def log(mlflow: MlflowClient, directory: Path, place: str | None) -> str:
    """A run whose artifacts these are."""
    experiment = mlflow.create_experiment(f"of {directory.name}")
    run = mlflow.create_run(experiment)
    mlflow.log_artifacts(run.info.run_id, str(directory), place)
    return str(run.info.run_id)


def test_a_directory_is_itself(tmp_path: Path) -> None:
    assert find_checkpoint(str(tmp_path / "model"), tmp_path / "out") == tmp_path / "model"
    assert not (tmp_path / "out").exists()


def test_a_network_alone_is_one(mlflow: MlflowClient, tmp_path: Path) -> None:
    saved = model(tmp_path / "model")
    (saved / "state.pt").rename(saved / "network.safetensors")
    run = log(mlflow, saved, "artifacts/network")
    found = find_checkpoint(f"runs:/{run}/artifacts", tmp_path / "out")
    assert (found / "network.safetensors").read_text() == "state.pt"


def test_a_run_holds_one_at_any_depth(mlflow: MlflowClient, tmp_path: Path) -> None:
    run = log(mlflow, model(tmp_path / "model"), "best/checkpoint")
    for name in (f"runs:/{run}/best", f"runs:/{run}/best/checkpoint"):
        found = find_checkpoint(name, tmp_path / "out")
        assert (found / "config.json").read_text() == "config.json"
        assert found.is_relative_to(tmp_path / "out")


def test_a_registered_model_holds_one(mlflow: MlflowClient, tmp_path: Path) -> None:
    run = log(mlflow, model(tmp_path / "model"), "checkpoint")
    mlflow.create_registered_model("mtdepth-x")
    uri = f"{mlflow.get_run(run).info.artifact_uri}/checkpoint"
    version = mlflow.create_model_version("mtdepth-x", uri, run_id=run)
    mlflow.set_registered_model_alias("mtdepth-x", "champion", version.version)
    for name in ("models:/mtdepth-x@champion", "models:/mtdepth-x/1"):
        found = find_checkpoint(name, tmp_path / "out")
        assert (found / "state.pt").read_text() == "state.pt"


def test_it_is_downloaded_once(mlflow: MlflowClient, tmp_path: Path) -> None:
    run = log(mlflow, model(tmp_path / "model"), "checkpoint")
    first = find_checkpoint(f"runs:/{run}/checkpoint", tmp_path / "out")
    mlflow.delete_run(run)
    assert find_checkpoint(f"runs:/{run}/checkpoint", tmp_path / "out") == first


def test_where_there_is_none_or_more_than_one_it_is_told(
    mlflow: MlflowClient, tmp_path: Path
) -> None:
    model(tmp_path / "two" / "a")
    model(tmp_path / "two" / "b")
    run = log(mlflow, tmp_path / "two", None)
    with pytest.raises(ValueError, match=rf"one trained model at runs:/{run}/, found a, b"):
        find_checkpoint(f"runs:/{run}/", tmp_path / "out")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "notes.txt").write_text("nothing")
    run = log(mlflow, tmp_path / "none", "notes")
    with pytest.raises(ValueError, match=r"expected one trained model at .*, found none"):
        find_checkpoint(f"runs:/{run}/notes", tmp_path / "out")


@pytest.mark.parametrize("name", ["runs:/unheard/of", "models:/unheard@of"])
def test_what_mlflow_does_not_know_is_told_in_a_line(
    mlflow: MlflowClient, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ValueError, match=f"expected a trained model at {name} in sqlite") as caught:
        find_checkpoint(name, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "out").iterdir())


def test_none_named_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"found none; say --set checkpoint=DIR"):
        find_checkpoint(None, tmp_path)
