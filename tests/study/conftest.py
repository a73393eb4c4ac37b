"""What tests of the running platform share."""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from study.space import Resources

if TYPE_CHECKING:
    from mlflow import MlflowClient


@pytest.fixture(scope="session")
def small_ray() -> Iterator[None]:
    """Ray with room for two trials, started once; studies of this process use it and leave it."""
    import ray

    from study.ray_session import OBJECT_STORE_BYTES, worker_env

    if ray.is_initialized():  # tests elsewhere have this fixture under another name
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        address="local",
        num_cpus=2,
        num_gpus=0,
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=False,
        logging_level=logging.CRITICAL,
        log_to_driver=False,
        runtime_env={"env_vars": worker_env(Resources())},
    )
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database with nothing in it; it takes seconds to make."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def mlflow(empty_mlflow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """An MLflow of its own, which the studies of a test write to."""
    from mlflow import MlflowClient

    shutil.copy(empty_mlflow, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.chdir(tmp_path)  # artifacts lie beneath it
    return MlflowClient(uri)
