"""A worker that dies while it waits for its next trial costs no trial."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from study.ledger import Ledger
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.trainable import Report
from tests.study.simulated import RANDOM_SEARCH, simulated_space

SPACE = simulated_space(("equal",), search=RANDOM_SEARCH, confirm={"seeds": [1, 2]})


@dataclass(frozen=True, kw_only=True)
class Uneven(Simulated):
    """Its first training is over at once; the second waits to be let go on. Both say who they
    are."""

    notes: Path

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        first, second = self.notes / "first", self.notes / "second"
        if not _wrote(first) and _wrote(second):
            while not (self.notes / "go on").exists():
                time.sleep(0.05)
        super().fit(config, report, resume_from)


def _wrote(note: Path) -> bool:
    """Whether this process was the first to."""
    try:
        with note.open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return False
    return True


def kill_the_idle_one(notes: Path, out: Path) -> None:
    """Once the first training is in the ledger, and the second has begun."""
    while not (notes / "second").exists() or not any(
        record.ended for record in Ledger.open(out).records.values()
    ):
        time.sleep(0.05)
    time.sleep(1.0)  # until it waits
    process = psutil.Process(int((notes / "first").read_text()))
    process.send_signal(signal.SIGKILL)
    time.sleep(1.0)
    (notes / "go on").touch()


@pytest.mark.usefixtures("small_ray")
def test_the_next_trial_is_trained_by_another(tmp_path: Path) -> None:
    out = tmp_path / "study"
    killing = threading.Thread(target=kill_the_idle_one, args=(tmp_path, out))
    killing.start()
    run_study(SPACE, out, Settings(concurrency=2, trainable=Uneven(notes=tmp_path), tracks=False))
    killing.join()
    records = Ledger.open(out).records
    assert {key: record.status for key, record in records.items()} == {
        "search-equal-000": "completed",
        "search-equal-001": "completed",
        "confirm-equal-seed1": "completed",
        "confirm-equal-seed2": "completed",
    }
