"""How a study's time falls with the nodes that it has: trainings that sleep, on real Ray nodes.

Run by hand: `pytest -m slow -s tests/benchmarks/test_scaling_nodes.py`; half an hour. The
nodes share this machine, so that what sleeps is fair and what computes is not: workers that start
take the cores from each other, as they would not on machines of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cluster import local
from study.events import Dealt, EpochEnded, TrialEnded
from study.ledger import Ledger
from tests.cluster.mlflow.conftest import free_port
from tests.study.simulated import simulated_space

ROOT = Path(__file__).parents[2]
NUM_NODES = (1, 2, 4, 8)
NUM_TRIALS, NUM_EPOCHS, SECONDS = 64, 2, 6.0
MIN_EFFICIENCY = 0.8
"""Of nodes whose worker has started."""
SPACE = simulated_space(
    arms=("equal", "dwa"),
    base={"tasks": ["depth"], "epochs": NUM_EPOCHS},
    search={
        "trials_per_arm": NUM_TRIALS // 2,
        "sampler": {"name": "random"},
        "space": {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}},
    },
)
DRIVER = """
import sys, time
from pathlib import Path
from study.runner import Settings, run_study
from study.simulate import Simulated
from tests.benchmarks.test_scaling_nodes import SECONDS, SPACE

if __name__ == "__main__":
    out, address = Path(sys.argv[1]), sys.argv[2]
    told = Settings(address=address, trainable=Simulated(seconds=SECONDS), tracks=False)
    run_study(SPACE, out, told)
    print("cpu", time.process_time())
"""


@dataclass(frozen=True)
class Run:
    """What a study took, read off its ledger."""

    wall_s: float
    """From the first deal to the end of the last trial."""
    node_s: float
    """Over the nodes, from the start of the first training there to the end of the last anywhere:
    what the nodes had to give when their worker was there."""
    first_s: float
    """Until the first worker was there, from the first deal."""
    last_s: float
    """Until the last worker was there."""
    trials_by_node: Counter[str]
    table: list[dict[str, Any]]


def read(out: Path) -> Run:
    ledger = Ledger.open(out)
    dealt, ended, starts, by_node = [], [], dict[str, float](), Counter[str]()
    for event in ledger.events():
        at = datetime.fromisoformat(event.time).timestamp()
        if isinstance(event, Dealt):
            dealt.append(at)
        elif isinstance(event, TrialEnded):
            ended.append(at)
        elif isinstance(event, EpochEnded):
            starts[event.node] = min(starts.get(event.node, at), at - event.seconds)
            by_node[event.node] += event.epoch == NUM_EPOCHS
    columns = ["trial_key", "seed", "status", "epochs", "params", "metrics"]
    rows: list[Any] = ledger.trials()[columns].to_dict("records")
    begin, end = min(dealt), max(ended)
    return Run(
        wall_s=end - begin,
        node_s=sum(end - start for start in starts.values()),
        first_s=min(starts.values()) - begin,
        last_s=max(starts.values()) - begin,
        trials_by_node=by_node,
        table=sorted(rows, key=lambda row: str(row["trial_key"])),
    )


def run(out: Path, address: str) -> float:
    """Runs the study in a driver of its own, as Ray of this process may be another; its CPU s."""
    script = out.parent / "driver.py"
    script.write_text(DRIVER)
    told = subprocess.run(
        [sys.executable, str(script), str(out), address],
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "token"},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert told.returncode == 0, (told.stdout + told.stderr)[-2000:]
    return float(told.stdout.split()[-1])


def on_nodes(num_nodes: int, directory: Path) -> Run:
    """Runs the study on a cluster of its own, and prints what it took."""
    home, out = directory / f"nodes-{num_nodes}", directory / f"of-{num_nodes}" / "study"
    out.parent.mkdir()
    address = local.up(home, nodes=num_nodes, cpus=1, memory_gib=0.1, port=free_port())
    try:
        cpu_s = run(out, address)
    finally:
        local.down(home)
    found = read(out)
    print(line(num_nodes, found, cpu_s), flush=True)
    return found


def line(num_nodes: int, found: Run, cpu_s: float) -> str:
    work = NUM_TRIALS * NUM_EPOCHS * SECONDS
    ideal = work / num_nodes
    shares = sorted(found.trials_by_node.values(), reverse=True)
    return (
        f"{num_nodes} nodes: {found.wall_s:.0f} s, ideal {ideal:.0f}, efficiency "
        f"{ideal / found.wall_s:.2f}; once workers have started {work / found.node_s:.3f}, "
        f"{(found.node_s - work) / NUM_TRIALS * 1e3:.0f} ms a trial over its sleep; workers there "
        f"after {found.first_s:.1f} to {found.last_s:.1f} s; trials by node {shares}; "
        f"driver {cpu_s / NUM_TRIALS * 1e3:.0f} ms of a core a trial, start and report among it; "
        f"load {os.getloadavg()[0]:.1f}"
    )


@pytest.mark.slow
def test_time_falls_with_the_nodes_and_the_tables_do_not_change(tmp_path: Path) -> None:
    tables = []
    for num_nodes in NUM_NODES:
        found = on_nodes(num_nodes, tmp_path)
        assert len(found.trials_by_node) == num_nodes, "all nodes took part"
        assert NUM_TRIALS * NUM_EPOCHS * SECONDS / found.node_s > MIN_EFFICIENCY
        tables.append(found.table)
    assert all(table == tables[0] for table in tables)
