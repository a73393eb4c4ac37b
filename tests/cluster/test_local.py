"""A cluster of real Ray nodes on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import local
from tests.cluster.mlflow.conftest import free_port

ASK = """
import sys, ray
ray.init(sys.argv[1], log_to_driver=False)

@ray.remote(num_cpus=1)
def where():
    import time
    time.sleep(1.0)  # so that no node does two
    return ray.get_runtime_context().get_node_id()

print(len(set(ray.get([where.remote() for _ in range(3)]))), ray.cluster_resources()["CPU"])
"""


JOIN = """
import sys
from study.ray_session import ray_session
from study.space import Resources
try:
    with ray_session(Resources(), sys.argv[1]):
        print("let in")
except ValueError as error:
    print(error)
"""


def said_by(code: str, port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, f"127.0.0.1:{port}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    local.down(tmp_path / "home")


@pytest.mark.slow
def test_each_node_takes_work_and_one_may_die(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    told = ["up", "--nodes", "3", "--cpus", "1", "--home", str(home), "--port", str(port)]
    assert local.main(told) == 0
    assert f"3 nodes at 127.0.0.1:{port}. A study runs on them with" in capsys.readouterr().out
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    asked = said_by(ASK, port)
    assert asked.stdout.split() == ["3", "3.0"], asked.stderr[-2000:]
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    refused = said_by(JOIN, port)
    assert f"expected a Ray cluster at 127.0.0.1:{port}: Failed to connect" in refused.stdout
    assert "; if it asks for a token, put that of `ray get-auth-token`" in refused.stdout
    assert local.main(told) == 2
    assert "expected no cluster, found one of 3 nodes; `down`" in capsys.readouterr().err
    assert local.main(["kill", "1", "--home", str(home)]) == 0
    assert local.alive(home) == [0, 2]
    assert local.main(["kill", "1", "--home", str(home)]) == 2
    assert "expected a node 1, found [0, 2]" in capsys.readouterr().err
    assert local.main(["status", "--home", str(home)]) == 0
    started = time.monotonic()
    assert local.main(["down", "--home", str(home)]) == 0
    assert time.monotonic() - started < 60
    assert local.main(["status", "--home", str(home)]) == 1


@pytest.mark.parametrize("nodes", [0, 65])
def test_so_many_nodes_are_refused(
    home: Path, nodes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert local.main(["up", "--nodes", str(nodes), "--home", str(home)]) == 2
    assert f"error: --nodes: expected 1 to 64, found {nodes}\n" == capsys.readouterr().err
    assert not home.exists()


def test_a_cluster_that_does_not_start_is_told_in_a_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["up", "--nodes", "1", "--port", "1", "--home", str(home), "--resources", "{"]
    assert local.main([*told, "--cpus", "-1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: the nodes did not start: ")
    assert error.count("\n") == 1
    assert local.alive(home) == []


def test_what_else_ray_says_is_not_taken_for_a_count(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    says = "print('1', '12', '(raylet) 7 in the pool.', sep='\\n', flush=True); sys.stdin.read()"
    monkeypatch.setattr(local, "_COUNT", f"import sys, time; {says}; time.sleep(100)")
    with local._count(home, "anywhere") as num_joined:
        deadline = time.monotonic() + 60
        while "pool" not in (home / "joined.log").read_text() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert num_joined() == 12
