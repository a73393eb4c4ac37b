"""An S3-compatible store for tests: moto's server, behind a door that can be shut."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

BUCKET = "studies"
KEYS = {"AWS_ACCESS_KEY_ID": "the-canary-key", "AWS_SECRET_ACCESS_KEY": "the-canary-secret"}


class Door:
    """Passes bytes on between whoever comes and a port, while it is open."""

    def __init__(self, port: int) -> None:
        self._to, self._is_open, self._seen = port, True, list[socket.socket]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        """Ends what is under way, and lets nobody in until it is left."""
        self._is_open = False
        seen, self._seen = self._seen, []
        for one in seen:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        try:
            yield
        finally:
            self._is_open = True

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                came, _ = self._listener.accept()
                if not self._is_open:
                    came.close()
                    continue
                there = socket.create_connection(("127.0.0.1", self._to))
                self._seen += [came, there]
                for pair in ((came, there), (there, came)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@dataclass
class TestStore:
    """A store that runs."""

    __test__ = False
    port: int
    door: Door
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="admin",
            aws_secret_access_key="admin",
            config=Config(retries={"max_attempts": 10, "mode": "standard"}),
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """What whoever uses it is to have, by the door."""
        return {**KEYS, "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.door.port}"}

    def files(self, prefix: str = "") -> dict[str, int]:
        """Names and sizes; marks of directories are none."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        found = [one for page in pages for one in page.get("Contents", [])]
        return {one["Key"]: one["Size"] for one in found if not one["Key"].endswith("/")}


@contextlib.contextmanager
def running_store() -> Iterator[TestStore]:
    """A store with one bucket."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _await(port)
            store = TestStore(port, Door(port))
            store.client.create_bucket(Bucket=BUCKET)
            yield store
            store.door.close()
        finally:
            server.terminate()


def _await(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no server came up at port {port}")
