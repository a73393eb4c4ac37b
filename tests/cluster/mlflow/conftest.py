"""A real server of a team: PostgreSQL, an S3-compatible store, users."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from cluster.mlflow import server
from cluster.mlflow.postgres import binaries
from cluster.mlflow.secrets import Secrets, open_secrets
from cluster.mlflow.settings import Settings
from tests.study.conftest import empty_mlflow, mlflow, small_ray

__all__ = ["empty_mlflow", "mlflow", "small_ray"]

BUCKET = "studies"
KEYS = {"AWS_ACCESS_KEY_ID": "canary-key", "AWS_SECRET_ACCESS_KEY": "canary-of-the-store"}


@dataclass(frozen=True)
class Team:
    """A server that runs."""

    settings: Settings
    store: str
    """Address of the S3-compatible store."""

    @property
    def address(self) -> str:
        return server.address_of(self.settings)

    def start(self) -> None:
        """As its admin does, who alone has the keys of the store."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**KEYS, "MLFLOW_S3_ENDPOINT_URL": self.store}.items():
                patch.setenv(name, value)
            assert server.up(self.settings) == self.address

    def client(self) -> Any:
        """Of the store."""
        return boto3.client(
            "s3",
            endpoint_url=self.store,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"max_attempts": 10, "mode": "standard"}),
        )

    @property
    def secrets(self) -> Secrets:
        return open_secrets(self.settings.home)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def short_home() -> Iterator[Path]:
    """A directory with room for a socket's name, which PostgreSQL's user can reach."""
    home = Path(tempfile.mkdtemp(prefix="team-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def postgres_installed() -> None:
    try:
        binaries()
    except ValueError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def team(short_home: Path, postgres_installed: None) -> Iterator[Team]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as store:
        team = Team(
            Settings(
                home=short_home / "home",
                port=free_port(),
                artifacts=f"s3://{BUCKET}/mlflow",
                workers=1,
            ),
            f"http://127.0.0.1:{port}",
        )
        try:
            team.client().create_bucket(Bucket=BUCKET)
            team.start()
            yield team
        finally:
            server.down(team.settings.home)
            store.terminate()
