"""An S3-compatible store for tests: moto's server, behind a door that can be shut."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

BUCKET = "studies"
KEYS = {"AWS_ACCESS_KEY_ID": "the-canary-key", "AWS_SECRET_ACCESS_KEY": "the-canary-secret"}
_REQUEST = re.compile(rb"^([A-Z]+ /\S*) HTTP/1.1", re.MULTILINE)


class Door:
    """Passes bytes on between whoever comes and a port, while it is open."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self._to, self._is_open, self._seen = port, True, list[socket.socket]()
        self.asked: list[str] = []
        """The first lines of requests that have come in, but for their version."""
        self.closes_at: str | None = None
        """Of a request's line: from there on nobody is let in."""
        self._listener = socket.create_server((address, 0))
        self.address, self.port = address, int(self._listener.getsockname()[1])
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
            self.open()

    def open(self) -> None:
        """Lets everybody in again."""
        self.closes_at, self._is_open = None, True

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                came, _ = self._listener.accept()
                if not self._is_open:
                    came.close()
                    continue
                self._seen.append(came)
                threading.Thread(target=self._serve, args=(came,), daemon=True).start()

    def _serve(self, came: socket.socket) -> None:
        with came, socket.create_connection(("127.0.0.1", self._to)) as there:
            back = threading.Thread(target=_pass_on, args=(there, came), daemon=True)
            back.start()
            _pass_on(came, there, self._lets_in)
            back.join()

    def _lets_in(self, content: bytes) -> bool:
        lines = [found.decode() for found in _REQUEST.findall(content)]
        self.asked += lines
        if self.closes_at and any(self.closes_at in line for line in lines):
            self._is_open = False
        return self._is_open


def _pass_on(
    source: socket.socket,
    target: socket.socket,
    lets_in: Callable[[bytes], bool] = lambda content: True,
) -> None:
    with contextlib.suppress(OSError):
        while (content := source.recv(65536)) and lets_in(content):
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
        return {**KEYS, "AWS_ENDPOINT_URL_S3": f"http://{self.door.address}:{self.door.port}"}

    def put(self, directory: Path, prefix: str) -> None:
        """Copies a directory there."""
        for path in directory.rglob("*"):
            if path.is_file():
                name = f"{prefix}/{path.relative_to(directory)}"
                self.client.upload_file(str(path), BUCKET, name)

    def files(self, prefix: str = "") -> dict[str, int]:
        """Names and sizes; marks of directories are none."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        found = [one for page in pages for one in page.get("Contents", [])]
        return {one["Key"]: one["Size"] for one in found if not one["Key"].endswith("/")}


@contextlib.contextmanager
def running_store(address: str = "127.0.0.1") -> Iterator[TestStore]:
    """A store with one bucket, whose door is at an address of this machine."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _await(port)
            store = TestStore(port, Door(port, address))
            store.client.create_bucket(Bucket=BUCKET)
            yield store
            store.client.close()
            with store.door.shut():
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
