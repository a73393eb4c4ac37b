"""A study on a cluster of real Ray nodes is the one that a laptop runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster import local
from study.ledger import Ledger
from study.runner import Settings, run_study
from study.simulate import Simulated
from tests.cluster.mlflow.conftest import free_port
from tests.study.conftest import small_ray
from tests.study.simulated import RANDOM_SEARCH, simulated_space

__all__ = ["small_ray"]
ROOT = Path(__file__).parents[2]
NUM_NODES = 3
SECONDS = 3.0
"""Of an epoch: longer than a worker takes to start, else one that is free again takes all."""
DRIVER = """
import sys
from pathlib import Path
from study.runner import Settings, resume_study, run_study
from study.simulate import Simulated
from tests.cluster.test_study import SPACE

if __name__ == "__main__":
    out, address, seconds, *url = sys.argv[1:]
    out, storage = Path(out), "".join(url) or None
    trainable = Simulated(seconds=float(seconds))
    told = Settings(address=address, trainable=trainable, tracks=False, storage=storage)
    if (out / "space.yaml").exists():
        resume_study(out, told)
    else:
        run_study(SPACE, out, told)
"""
SPACE = simulated_space(
    arms=("equal", "dwa", "uncertainty"),
    search=RANDOM_SEARCH,
    confirm={"seeds": [1]},
)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    home = tmp_path_factory.mktemp("nodes")
    address = local.up(home, nodes=NUM_NODES, cpus=1, port=free_port())
    yield home, address
    local.down(home)


def drive(out: Path, address: str, seconds: float) -> subprocess.Popen[str]:
    """A driver of its own, as Ray of this process may be another."""
    script = out.parent / "driver.py"
    script.write_text(DRIVER)
    return subprocess.Popen(
        [sys.executable, str(script), str(out), address, str(seconds)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "token"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def told(out: Path) -> list[dict[str, Any]]:
    """What was tried and what it gave."""
    columns = ["trial_key", "seed", "status", "epochs", "params", "metrics"]
    rows: list[dict[str, Any]] = Ledger.open(out).trials()[columns].to_dict("records")  # type: ignore[assignment]
    return sorted(rows, key=lambda row: row["trial_key"])


@pytest.fixture(scope="module")
def laptop(small_ray: None, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("laptop") / "study"
    run_study(SPACE, out, Settings(trainable=Simulated(), tracks=False, concurrency=2))
    return told(out)


@pytest.mark.slow
def test_all_nodes_work_and_the_tables_are_a_laptops(
    nodes: tuple[Path, str], laptop: list[dict[str, Any]], tmp_path: Path
) -> None:
    with drive(tmp_path / "study", nodes[1], SECONDS) as driver:
        said, _ = driver.communicate(timeout=300)
    assert driver.returncode == 0, said[-2000:]
    ledger = Ledger.open(tmp_path / "study")
    places = [place for record in ledger.records.values() for place in record.places]
    assert len(set(places)) == NUM_NODES
    assert all(place.endswith(" cpu") for place in places)
    assert told(tmp_path / "study") == laptop
    for record in ledger.records.values():
        if record.phase == "confirm":
            assert (tmp_path / "study" / str(record.kept) / "state.json").is_file()
    hidden = [p.name for p in (tmp_path / "study").rglob(".*") if p.name != ".lock"]
    assert hidden == [], "what was half written is gone"


@pytest.mark.slow
def test_a_node_that_dies_costs_no_epoch_that_was_reported(
    nodes: tuple[Path, str], laptop: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "study"
    with drive(out, nodes[1], SECONDS) as driver:
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline:
            time.sleep(0.2)
            if (out / "events.jsonl").exists() and len(Ledger.open(out).records) >= NUM_NODES + 1:
                break
        local.kill(nodes[0], 1)
        said, _ = driver.communicate(timeout=400)
    assert driver.returncode == 0, said[-2000:]
    assert told(out) == laptop
    for record in Ledger.open(out).records.values():
        assert [epoch.epoch for epoch in record.epochs] == [1, 2, 3]
