"""A worker that its cloud takes back is no failure of its trial's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cluster import local, spot
from tests.cluster.mlflow.conftest import free_port

ROOT = Path(__file__).parents[2]
NOTICE_S = 90.0
TRAINING = """
import subprocess, sys, time
import ray
from cluster import local
from pathlib import Path

home, address = Path(sys.argv[1]), sys.argv[2]
ray.init(address, log_to_driver=False)

@ray.remote(resources={"spot": 1}, num_cpus=0)
class Trial:
    def node(self):
        return ray.get_runtime_context().get_node_id()

@ray.remote(resources={"spot": 1}, num_cpus=0)
def more():
    return "ran"

trial = Trial.remote()
node = ray.get(trial.node.remote(), timeout=60)
watch = [sys.executable, "-m", "cluster.spot", "--node-id", node, *sys.argv[3:]]
watched = subprocess.run(watch, capture_output=True, text=True)
print(watched.returncode, watched.stdout.strip())
sys.stderr.write(watched.stderr)
print(ray.get(trial.node.remote(), timeout=60) == node)
print(len(ray.wait([more.remote()], timeout=3)[0]))
local.kill(home, 1)
try:
    ray.get(trial.node.remote(), timeout=60)
except ray.exceptions.RayActorError as error:
    print(error.preempted)
"""
"""A trial on a spot worker, which is given notice, drained, and then gone."""


class Metadata(BaseHTTPRequestHandler):
    """Of a machine on AWS, version 2: whoever asks shows a token."""

    notice: str | None = None
    token = "a-token"
    asked: list[str] = []  # noqa: RUF012

    def do_PUT(self) -> None:
        assert self.path == "/latest/api/token"
        assert int(self.headers["X-aws-ec2-metadata-token-ttl-seconds"]) > 0
        self._answer(200, self.token)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.headers["X-aws-ec2-metadata-token"] != self.token:
            self._answer(401, "")
        elif self.path == "/latest/meta-data/spot/instance-action" and self.notice:
            self._answer(200, self.notice)
        else:
            self._answer(404, "")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *told: object) -> None:
        pass


@pytest.fixture
def give_notice(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str | None], None]]:
    """Says what the metadata say from now on."""

    class Here(Metadata):
        asked: list[str] = []  # noqa: RUF012

    def give(notice: str | None) -> None:
        Here.notice = notice

    server = ThreadingHTTPServer(("127.0.0.1", 0), Here)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(spot.SERVICE, f"http://127.0.0.1:{server.server_port}")
    yield give
    assert Here.asked
    server.shutdown()
    server.server_close()


def notice(seconds: float) -> str:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return json.dumps({"action": "terminate", "time": at.strftime("%Y-%m-%dT%H:%M:%SZ")})


def test_a_notice_says_how_long_is_left(give_notice: Callable[[str | None], None]) -> None:
    assert spot.seconds_left() is None
    give_notice(notice(NOTICE_S))
    assert spot.seconds_left() == pytest.approx(NOTICE_S, abs=3)
    give_notice(notice(-NOTICE_S))
    assert spot.seconds_left() == 0


def test_where_there_is_no_aws_there_is_no_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(spot.SERVICE, f"http://127.0.0.1:{free_port()}")
    assert spot.seconds_left() is None


def test_without_ray_it_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "1")
    assert spot.main(["--now", "--node-id", "x"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: expected Ray to drain this node, found: ")
    assert error.count("\n") == 1


@pytest.mark.slow
def test_a_drained_worker_finishes_gets_nothing_new_and_may_go(
    give_notice: Callable[[str | None], None], tmp_path: Path
) -> None:
    home, port = tmp_path / "home", free_port()
    give_notice(notice(NOTICE_S))
    try:
        address = local.up(home, nodes=2, cpus=1, port=port, resources='{"spot": 2}')
        environment = os.environ | {
            "RAY_AUTH_MODE": "token",
            "RAY_ADDRESS": address,
            "PYTHONPATH": str(ROOT),
        }
        told = [sys.executable, "-c", TRAINING, str(home), address]
        done = subprocess.run(told, env=environment, capture_output=True, text=True, check=False)
    finally:
        local.down(home)
    watched, still_there, num_new, preempted = done.stdout.splitlines()
    assert watched.startswith("0 drained: this machine goes within ")
    assert (still_there, num_new, preempted) == ("True", "0", "True"), done.stderr[-2000:]
