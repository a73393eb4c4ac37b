"""The way to MLflow: where it is, and what is read from there."""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from study.words import one_line

DEFAULT_URI = "sqlite:///mlflow.db"
_SETTINGS = {
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
"""Of MLflow, where the environment says nothing else."""


def tracking_uri() -> str:
    """Where runs go: `MLFLOW_TRACKING_URI`, or a database in the working directory."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def without_passwords(text: str) -> str:
    """A text as it may be shown: `http://me:password@host` has neither name nor password."""
    return re.sub(r"://[^/@\s]*@", "://***@", text)


def failure_line(error: Exception) -> str:
    """An error in a line, without passwords: they go before it is cut off, perhaps within one."""
    return one_line(without_passwords(f"{type(error).__name__}: {error}"))


def connect(uri: str) -> Any:
    """MLflow's client of a tracking server or database."""
    with quiet():
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=uri)


def download(uri: str, directory: Path) -> None:
    """Brings artifacts of a run (`runs:/`) or a registered model (`models:/`) into a directory.

    Raises:
        mlflow.exceptions.MlflowException: there are none, or they cannot be reached.
    """
    with quiet():
        from mlflow.artifacts import download_artifacts

        where = tracking_uri()
        registry = os.environ.get("MLFLOW_REGISTRY_URI") or where
        download_artifacts(uri, dst_path=str(directory), tracking_uri=where, registry_uri=registry)


def read_run(run_id: str) -> tuple[Any, dict[str, dict[int, float]]]:
    """A run, and the values of each of its metrics by step.

    Raises:
        ValueError: there is none, or MLflow cannot be reached.
    """
    with quiet():
        from mlflow.exceptions import MlflowException

        try:
            client = connect(tracking_uri())
            run = client.get_run(run_id)
            histories = {
                name: {point.step: point.value for point in client.get_metric_history(run_id, name)}
                for name in run.data.metrics
            }
        except MlflowException as error:
            why = " ".join(str(error).split())[:300]
            raise ValueError(
                without_passwords(
                    f"expected the MLflow run {run_id} at {tracking_uri()} (MLFLOW_TRACKING_URI), "
                    f"found: {why}"
                )
            ) from None
    return run, histories


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps MLflow's hints, and the migration of a new database, off the screen and the net.

    Its client also gives up within a minute where a server does not answer, and not after many.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    yield
