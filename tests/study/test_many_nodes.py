"""A study on many nodes: all of them work, and the tables are those of a study on one."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.ledger import Ledger
from study.runner import Settings, run_study
from study.simulate import Simulated
from tests.study import made_up_nodes
from tests.study.made_up_worker import SECONDS_AN_EPOCH
from tests.study.simulated import simulated_space, told

NUM_NODES = 8


@pytest.mark.usefixtures("small_ray")
def test_all_nodes_work_though_a_worker_starts_for_longer_than_a_trial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = simulated_space(
        ("equal",),
        search={
            "trials_per_arm": 2 * NUM_NODES,
            "sampler": {"name": "random"},
            "space": {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}},
        },
        resources={"cpus": 2 / NUM_NODES},
    )
    monkeypatch.chdir(tmp_path)
    settings = Settings(trainable=Simulated(), tracks=False)
    one = Settings(trainable=Simulated(), tracks=False, concurrency=1)
    run_study(space, tmp_path / "real", one)
    monkeypatch.setattr(made_up_nodes, "SECONDS_TO_START", 10 * SECONDS_AN_EPOCH)
    made_up_nodes.make_up_nodes(monkeypatch, NUM_NODES)
    run_study(space, tmp_path / "made-up", settings)
    records = Ledger.open(tmp_path / "made-up").records.values()
    assert len({place for record in records for place in record.places}) == NUM_NODES
    assert told(tmp_path / "made-up") == told(tmp_path / "real")
