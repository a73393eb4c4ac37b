"""A real MLflow server on this machine, to be killed, started again, and robbed of its database."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self

PATIENCE_S = 120


class Server:
    """`mlflow server` with a database and artifacts in a directory of its own.

    Args:
        directory: where it keeps them.
        empty: a database with nothing in it; to make one takes seconds.
    """

    def __init__(self, directory: Path, empty: Path) -> None:
        self._directory, self._empty = directory, empty
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.wipe()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        told = [
            *("--backend-store-uri", f"sqlite:///{self._directory}/mlflow.db"),
            *("--artifacts-destination", str(self._directory / "artifacts"), "--serve-artifacts"),
            *("--host", "127.0.0.1", "--port", str(self._port), "--workers", "1"),
        ]
        calm = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self._directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *told],
                env={**os.environ, **calm},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            alive = self._process.poll() is None and time.monotonic() < deadline
            assert alive, (self._directory / "server.log").read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        """Ends it by SIGKILL, with all of its processes."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Takes all that it knows, while it does not run."""
        assert self._process is None
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(parents=True)
        shutil.copy(self._empty, self._directory / "mlflow.db")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
