"""What Ray Tune tells of a trial goes into the ledger."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pyarrow import fs

from study.events import Dealt
from study.ledger import Ledger
from study.recorder import Recorder
from study.scheduler import ArmScheduler
from study.storage import Storage
from tests.study.ledgers import told_space, trial, write_study


def test_an_epoch_is_in_the_ledger_and_no_longer_in_what_ray_tune_keeps(tmp_path: Path) -> None:
    dealt, *_ = trial("a", 1, status="running")
    assert isinstance(dealt, Dealt)
    space = told_space()
    ledger = Ledger.open(write_study(tmp_path, [dealt], space), writable=True)
    storage = Storage(root=str(tmp_path.resolve()), own=fs.LocalFileSystem(), files=None)
    recorder = Recorder(
        ledger, ArmScheduler(space.scheduler, {}), storage, lambda _: None, lambda _: None
    )
    told = SimpleNamespace(trial_fs_path=str(tmp_path.resolve() / "ray" / "trial"))
    rays: Any = SimpleNamespace(config={"dealt": dealt}, storage=told)
    result: dict[str, Any] = {
        "epoch": 1,
        "metrics": {"val/depth/abs_rel": 0.5},
        "system": {"memory_mib": 100.0},
        "place": {"node": "a-1", "device": "cpu"},
        "drawn": False,
        "files": {"state.pt": 1000},
        "checkpoint_dir_name": "checkpoint_000000",
        "should_checkpoint": True,
        "training_iteration": 1,
    }
    recorder.on_trial_result(trial=rays, result=result)
    (epoch,) = ledger.records[dealt.trial_key].epochs
    assert epoch.metrics == {"val/depth/abs_rel": 0.5}
    assert epoch.system == {"memory_mib": 100.0}
    assert epoch.checkpoint == "ray/trial/checkpoint_000000"
    assert not {"metrics", "system", "place", "files"} & set(result)
    assert {"epoch", "should_checkpoint", "training_iteration"} <= set(result)
    ledger.close()
