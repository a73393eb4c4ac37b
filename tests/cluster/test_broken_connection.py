"""A node asks for a checkpoint, and its cable is pulled as the answer is on its way."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import hosts
from tests.cluster.hosts import Hosts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(hosts.missing() is not None, reason=f"{hosts.missing()}"),
]
CUT_SECONDS = 20
"""Longer than a connection is kept whose words are not confirmed; Ray gives nodes half a minute."""
PATIENCE_SECONDS = 150
"""Who only listens notices after 300."""
DRIVER = """
import time
from pathlib import Path

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.head_files import PERSISTENT, HeadFiles
from study.keeper import Keeper


class Slow(Keeper):
    def info(self, path):
        (Path(path) / "asked").touch()
        time.sleep(4)  # the cable is pulled meanwhile
        return super().info(path)


def ask(files):
    start = time.monotonic()
    assert files.ask("info", "/mnt")[0] == "directory"
    return time.monotonic() - start


ray.init(address="auto")
here = ray.get_runtime_context().get_node_id()
(there,) = {node["NodeID"] for node in ray.nodes()} - {here}
at = {node: NodeAffinitySchedulingStrategy(node, soft=False) for node in (here, there)}
keeper = ray.remote(Slow).options(**PERSISTENT, max_concurrency=8, scheduling_strategy=at[here])
files = HeadFiles(keeper.remote("/mnt"))
seconds = ray.get(ray.remote(ask).options(scheduling_strategy=at[there]).remote(files))
Path("/mnt/seconds").write_text(str(seconds))
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Hosts]:
    with hosts.made(tmp_path, 2) as made:
        for host in made.hosts:
            made.start_ray(host)
        yield made


def test_it_asks_again_soon_after(cluster: Hosts) -> None:
    disk = cluster.head.disk
    (disk / "driver.py").write_text(DRIVER)
    driver = cluster.head.start([sys.executable, "driver.py"], cluster.environment, "said")
    while not (disk / "asked").exists():
        assert driver.poll() is None, (disk / "said").read_text()[-3000:]
        time.sleep(0.1)
    cluster.hosts[1].cut(off=True)
    time.sleep(CUT_SECONDS)
    cluster.hosts[1].cut(off=False)
    assert driver.wait(timeout=400) == 0, (disk / "said").read_text()[-3000:]
    seconds = float((disk / "seconds").read_text())
    print(f"answered after {seconds:.0f} s, the cable was out for {CUT_SECONDS} s")
    assert CUT_SECONDS <= seconds < PATIENCE_SECONDS
