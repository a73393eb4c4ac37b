"""What a trial takes of its machine: measured by epoch, on record, and never compared."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import pytest

from study import system_metrics
from study.cost_words import against_actual
from study.events import EpochEnded, decode, encode
from study.ledger import Ledger
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.system_metrics import MIB, SystemMeter
from tests.study.simulated import simulated_space

PLAIN = {"cpu_percent", "memory_mib", "memory_peak_mib"}


def test_a_busy_process_is_seen_as_one() -> None:
    with SystemMeter() as meter:
        deadline = time.process_time() + 0.2
        while time.process_time() < deadline:
            pass
        found = meter.read()
    assert set(found) == PLAIN
    assert found["cpu_percent"] > 0
    assert 10 < found["memory_mib"] <= found["memory_peak_mib"] * 1.01


def test_a_gpu_is_looked_at_over_the_whole_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([10.0, 90.0])
    monkeypatch.setattr(system_metrics, "SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(system_metrics, "device_percent", lambda: next(looks, None))
    monkeypatch.setattr(system_metrics, "peak_device_memory_bytes", lambda: 3 * MIB)
    with SystemMeter() as meter:
        time.sleep(0.3)
        found = meter.read()
        again = meter.read()
    assert set(found) == {*PLAIN, "gpu_memory_peak_mib", "gpu_percent"}
    assert (found["gpu_percent"], found["gpu_memory_peak_mib"]) == (50.0, 3.0)
    assert "gpu_percent" not in again, "each epoch has its own"


def test_a_journal_of_an_earlier_version_still_reads() -> None:
    event = EpochEnded(trial_key="a", epoch=1, metrics={}, checkpoint=None, seconds=1.0)
    told = json.loads(encode(event))
    del told["system"]
    assert decode(json.dumps(told)) == event


@pytest.mark.usefixtures("small_ray")
def test_each_epoch_has_them_on_record_and_no_table_does(tmp_path: Path) -> None:
    space = simulated_space(search=None, confirm={"seeds": [1]})
    settings = Settings(trainable=Simulated(), tracks=False, calibrates=True)
    out = run_study(space, tmp_path / "study", settings)
    ledger = Ledger.open(out)
    epochs = [epoch for record in ledger.records.values() for epoch in record.epochs]
    assert len(epochs) == 6
    for epoch in epochs:
        assert set(epoch.system) == PLAIN
        assert all(math.isfinite(value) for value in epoch.system.values())
        assert not set(epoch.system) & set(epoch.metrics)
    assert not [name for name in ledger.epochs()["metric"] if "memory" in name or "cpu" in name]
    actual = ledger.manifest["actual"]
    peak = max(epoch.system["memory_peak_mib"] for epoch in epochs)
    assert actual["memory_bytes"] == MIB * peak
    assert actual["device_memory_bytes"] == 0


def test_the_gpu_memory_of_a_study_is_set_against_its_plan() -> None:
    planned = {
        "concurrency": 1, "hours": (1, 1), "device_hours": (1, 1), "disk_bytes": 1,
        "memory_bytes": 1, "device_memory_bytes": 2**30,
    }  # fmt: skip
    last = against_actual(planned, {"device_memory_bytes": 2**31})[-1]
    assert (last["planned"], last["actual"]) == ("1.0 GiB", "2.0 GiB")
    assert against_actual(planned, {})[-1]["actual"] == "not known"
