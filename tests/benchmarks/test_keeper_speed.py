"""How fast checkpoints travel to the driver's node, through the one actor that keeps its files.

Run by hand: `pytest -m slow -s tests/benchmarks/test_keeper_speed.py`; a minute or two. Both nodes
are on this machine: no network lies between, and writers and keeper share its cores. So that a
figure holds on a busy machine, it is also said for a second of the keeper's core.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import ray
from pyarrow import fs
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster import local
from study.head_files import HeadFiles
from study.keeper import Keeper
from tests.cluster.mlflow.conftest import free_port

ROOT = Path(__file__).parents[2]
MIB = 2**20
FILE_MIB = 128
NUM_WRITERS = (1, 4)
DRIVER = """
import sys
from tests.benchmarks.test_keeper_speed import measure

if __name__ == "__main__":
    measure(sys.argv[1], sys.argv[2])
"""


class TimedKeeper(Keeper):
    """Says what it has taken of its core."""

    def cpu_s(self) -> float:
        """Of all its threads."""
        return time.process_time()


def be_there() -> None:
    """Long enough that each is done by a worker of its own, which has started then."""
    time.sleep(2)


def write(files: fs.FileSystem, path: str) -> None:
    """A file such as a checkpoint's, a MiB at a time, as pyarrow copies it."""
    part = os.urandom(MIB)
    with files.open_output_stream(path) as stream:
        for _ in range(FILE_MIB):
            stream.write(part)


def read(files: fs.FileSystem, path: str) -> None:
    """The same file."""
    with files.open_input_stream(path) as stream:
        while stream.read(16 * MIB):
            pass


def write_small(files: fs.FileSystem, path: str) -> None:
    """Many files of a kilobyte, each as Ray Tune writes a checkpoint."""
    for number in range(100):
        files.create_dir(f"{path}-{number}")
        with files.open_output_stream(f"{path}-{number}/state.json") as stream:
            stream.write(b"x" * 1000)


def measure(address: str, root: str) -> None:
    """Writes and reads from the other node, by one and by several at once."""
    ray.init(address, log_to_driver=False, logging_level="ERROR")
    here = ray.get_runtime_context().get_node_id()
    at_home = NodeAffinitySchedulingStrategy(here, soft=False)
    keeper = (
        ray.remote(TimedKeeper)
        .options(num_cpus=0, max_concurrency=8, scheduling_strategy=at_home)
        .remote(root)
    )
    files = fs.PyFileSystem(HeadFiles(keeper))
    ready = ray.remote(be_there).options(num_cpus=0, resources={"away": 1})
    for name, work, size in (
        ("writes", write, FILE_MIB),
        ("reads", read, FILE_MIB),
        ("writes small", write_small, 100),
    ):
        task = ray.remote(work).options(num_cpus=0, resources={"away": 1})
        for num in NUM_WRITERS:
            paths = [f"{root}/{number}" for number in range(num)]
            ray.get([ready.remote() for _ in paths])
            wall, cpu = time.perf_counter(), ray.get(keeper.cpu_s.remote())
            ray.get([task.remote(files, path) for path in paths])
            wall, cpu = time.perf_counter() - wall, ray.get(keeper.cpu_s.remote()) - cpu
            unit = "checkpoints of 1 kB" if work is write_small else "MiB"
            print(
                f"{num} at once {name}: {num * size / wall:.0f} {unit}/s, "
                f"{num * size / cpu:.0f} a second of the keeper's core; "
                f"load {os.getloadavg()[0]:.1f}"
            )


@pytest.mark.slow
def test_how_fast_checkpoints_come_home(tmp_path: Path) -> None:
    home, root = tmp_path / "nodes", tmp_path / "study"
    root.mkdir()
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    address = local.up(home, nodes=2, cpus=1, resources='{"away": 4}', port=free_port())
    try:
        told = subprocess.run(
            [sys.executable, str(script), address, str(root)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "token"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    finally:
        local.down(home)
    assert told.returncode == 0, (told.stdout + told.stderr)[-2000:]
    print(told.stdout)
    assert [path.stat().st_size for path in sorted(root.glob("[0-9]"))] == [FILE_MIB * MIB] * 4
