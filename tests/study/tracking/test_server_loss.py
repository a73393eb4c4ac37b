"""A real server that is killed, and one that loses all it knew: MLflow ends as the ledger."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from study.events import EpochEnded, Tracked
from study.ledger import Ledger
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.tracking import tracker
from study.tracking.repair import track
from study.tracking.verification import check
from tests.study.simulated import simulated_space
from tests.study.tracking.servers import PATIENCE_S, Server

pytestmark = [
    pytest.mark.usefixtures("small_ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # connections of a killed server
]
ASHA = {"name": "asha", "grace_epochs": 1, "reduction_factor": 2}
SPACE = simulated_space(scheduler=ASHA, confirm={"seeds": [1, 2, 3]})


class Breakdown(threading.Thread):
    """Kills a server while a study is tracked, and starts it again a few epochs later."""

    def __init__(self, server: Server, out: Path, *, wipes: bool) -> None:
        super().__init__()
        self._server, self._out, self._wipes = server, out, wipes
        self.epochs_meanwhile = 0

    def run(self) -> None:
        self._wait_until(lambda: self._num(Tracked) >= 2)
        self._server.kill()
        if self._wipes:
            self._server.wipe()
        before = self._num(EpochEnded)
        self._wait_until(lambda: self._num(EpochEnded) >= before + 3)
        self.epochs_meanwhile = self._num(EpochEnded) - before
        self._server.start()

    def _num(self, kind: type) -> int:
        if not (self._out / "space.yaml").exists():
            return 0
        return sum(isinstance(event, kind) for event in Ledger.open(self._out).events())

    def _wait_until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("wipes", [False, True], ids=["killed", "wiped"])
def test_a_server_that_comes_back_has_all_of_the_study(
    tmp_path: Path,
    empty_mlflow: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wipes: bool,
) -> None:
    monkeypatch.setattr(tracker, "SECONDS_BETWEEN_SYNCS", 0.2)
    monkeypatch.setattr(tracker, "MOST_SECONDS_BETWEEN_SYNCS", 1.0)
    monkeypatch.setattr(tracker, "SECONDS_TO_RETURN", float(PATIENCE_S))
    out = tmp_path / "study"
    with Server(tmp_path / "server", empty_mlflow) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
        breakdown = Breakdown(server, out, wipes=wipes)
        breakdown.start()
        run_study(SPACE, out, Settings(trainable=Simulated(seconds=0.3), concurrency=1))
        breakdown.join()
        assert breakdown.epochs_meanwhile >= 3, "training went on without it"
        assert "MLflow does not have all" not in capsys.readouterr().out
        found = check(Ledger.open(out), server.uri)
        assert found.differences == ()
        assert found.num_runs == 1 + len(Ledger.open(out).records)
        statuses = {run.info.status for run in all_runs(server.uri)}
        assert statuses == {"FINISHED", "KILLED"}, "some were stopped early, and none runs"
        if wipes:
            wiped_afterwards_it_is_rebuilt(server, out)


def wiped_afterwards_it_is_rebuilt(server: Server, out: Path) -> None:
    before = {key: record.mlflow_run_id for key, record in Ledger.open(out).records.items()}
    server.kill()
    server.wipe()
    server.start()
    assert all_runs(server.uri) == []
    rebuilt = track(out)
    assert rebuilt.differences == ()
    assert rebuilt.num_runs == 1 + len(before)
    again = check(Ledger.open(out), server.uri)
    assert (again.differences, again.num_values) == ((), rebuilt.num_values)
    after = {key: record.mlflow_run_id for key, record in Ledger.open(out).records.items()}
    assert set(after.values()).isdisjoint(before.values())


def all_runs(uri: str) -> list[object]:
    client = MlflowClient(uri)
    return list(client.search_runs([e.experiment_id for e in client.search_experiments()]))
