"""How far a study is, told of one that runs as of one that does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from study import status
from study.ledger import Ledger
from study.state import read_state
from tests.study.ledgers import METRIC, told_space, trial, write_study

SEARCH = {
    "trials_per_arm": 2,
    "space": {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}},
}
EVENTS = [
    *trial("a", phase="search", number=0, val=0.5, params={"optimizer.lr": 1e-4}),
    *trial("a", phase="search", number=1, val=0.4, params={"optimizer.lr": 2e-4}),
    *trial("b", phase="search", number=0, val=0.6, status="failed", error="no luck"),
    *trial("b", phase="search", number=1, val=0.7, status="running"),
]


@pytest.fixture
def under_way(tmp_path: Path) -> Path:
    space = told_space(search=SEARCH)
    return write_study(tmp_path / "told", EVENTS, space, ended=None, test_opened=None)


def test_a_study_that_no_process_runs_is_told_with_how_to_go_on(
    under_way: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status.main([str(under_way)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Study told: Does it?\nInterrupted: no process runs it. To go on: ")
    assert "3 of 10 trials ended, 1 of them failed, 1 cut off; 4 epochs of 10 at most, in " in said
    assert "The test split has not been opened.\n" in said
    rows = [line.split() for line in said.splitlines()]
    assert ["a", "search", "2", "2", "0", "0", "0", "2"] in rows
    assert ["b", "confirm", "3", "0", "0", "0", "0", "0"] in rows
    assert ["a", "search-a-001", "val/depth/abs_rel", "0.4", "1"] in rows
    assert not any("search-b" in line for line in said.splitlines())


def test_a_study_that_is_held_is_under_way(
    under_way: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_state(under_way).state == "interrupted"
    ledger = Ledger.open(under_way, writable=True)
    try:
        assert status.main([str(under_way), "--json"]) == 0
    finally:
        ledger.close()
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["has_driver"], told["num_running"]) == ("running", True, 1)
    assert told["arms"][0]["num_completed"] == 2
    assert told["best"][0]["params"] == {"optimizer.lr": 2e-4}
    assert not read_state(under_way).has_driver


def test_a_study_that_has_ended_says_when_the_test_split_was_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write_study(tmp_path / "told", trial("a", 1, val=0.3, test={METRIC: 0.2}))
    assert status.main([str(out)]) == 0
    said = capsys.readouterr().out
    assert "Ended 2026-01-01T03:00:00.000+00:00\n" in said
    assert "The test split was opened 2026-01-01T02:00:00.000+00:00; 1 model judged\n" in said
    assert read_state(out).best[0].trial_key == "confirm-a-seed1"
