"""The ledger: what is on disk is whole, in order, and enough to rebuild the rest."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from study import tables
from study.events import Dealt, EpochEnded, Event, Judged, Tracked, TrialEnded, decode, encode
from study.ledger import Ledger
from study.space import Space

SPACE = Space.model_validate(
    {
        "study": "test",
        "question": "Does it?",
        "arms": {"a": {}, "b": {}},
        "objective": {"metric": "val/loss", "mode": "min"},
        "compare": {"baseline": "a", "metrics": ["test/loss"]},
        "confirm": {"seeds": [1]},
        "resources": {"gpus": 0.5},
    }
)
KEY = "search-a-000"
EVENTS: list[Event] = [
    Dealt(
        trial_key=KEY,
        phase="search",
        arm="a",
        seed=0,
        params={"optimizer.lr": 1e-4, "tasks": ["depth"]},
        config={"epochs": 3},
        num_epochs=3,
        time="2026-01-01T00:00:00.000+00:00",
    ),
    EpochEnded(
        trial_key=KEY,
        epoch=1,
        metrics={"val/loss": 2.0, "train/loss": math.nan},
        checkpoint="ray/0/1",
        seconds=3.0,
    ),
    EpochEnded(
        trial_key=KEY, epoch=2, metrics={"val/loss": 1.0}, checkpoint="ray/0/2", seconds=1.0
    ),
    TrialEnded(trial_key=KEY, status="completed", checkpoint=f"checkpoints/{KEY}", seconds=1.0),
    Tracked(trial_key=KEY, run_id="abc"),
    Judged(
        trial_key=KEY,
        metrics={"test/loss": 0.5},
        images=[{"image": "x.png", "test/loss": 0.25}, {"image": "y.png", "test/loss": 0.75}],
    ),
]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.create(tmp_path / "study", SPACE, {"objectives": {"a": {"metric": "val/loss"}}})
    yield ledger
    ledger.close()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_its_line(event: Event) -> None:
    assert encode(decode(encode(event))) == encode(event)


@pytest.mark.parametrize("line", ["{}", "[]", '{"event": "Unheard"}'])
def test_a_line_that_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="expected one of the events"):
        decode(line)


def test_tables_tell_what_happened(ledger: Ledger) -> None:
    for event in EVENTS:
        ledger.append(event)
    (row,) = ledger.trials().to_dict("records")
    assert math.isnan(row["metrics"].pop("train/loss"))
    assert row.pop("ended") == EVENTS[3].time
    assert row == {
        "phase": "search",
        "arm": "a",
        "trial_key": KEY,
        "seed": 0,
        "status": "completed",
        "error": None,
        "epochs": 2,
        "params": {"optimizer.lr": 1e-4, "tasks": ["depth"]},
        "tuned": {},
        "metrics": {"val/loss": 1.0, "test/loss": 0.5},
        "objective": 1.0,
        "device_seconds": 2.5,
        "places": "",
        "started": EVENTS[0].time,
        "mlflow_run_id": "abc",
        "checkpoint": f"checkpoints/{KEY}",
    }
    assert ledger.epochs()[["epoch", "metric", "value"]].query(
        "metric == 'val/loss'"
    ).to_numpy().tolist() == [[1, "val/loss", 2.0], [2, "val/loss", 1.0]]
    assert ledger.test()["image"].tolist() == ["x.png", "y.png"]
    assert ledger.test()["metrics"].tolist()[0] == {"test/loss": 0.25}


def test_files_hold_what_the_tables_say(ledger: Ledger) -> None:
    for event in EVENTS:
        ledger.append(event)
    ledger.flush()
    for name, schema in (
        ("trials", tables.TRIALS),
        ("epochs", tables.EPOCHS),
        ("test", tables.TEST),
    ):
        path = ledger.directory / f"{name}.parquet"
        assert pq.read_schema(path).remove_metadata() == schema
        left = tables.read(path).to_dict("records")
        assert repr(left) == repr(getattr(ledger, name)().to_dict("records"))
    assert not list(ledger.directory.glob("*.tmp"))


def test_an_empty_study_has_all_columns(ledger: Ledger) -> None:
    assert list(ledger.trials()) == tables.TRIALS.names
    assert list(ledger.epochs()) == tables.EPOCHS.names
    assert list(ledger.test()) == tables.TEST.names


def test_an_epoch_heard_again_changes_nothing(ledger: Ledger) -> None:
    for event in (*EVENTS[:3], EVENTS[1]):
        ledger.append(event)
    assert ledger.records[KEY].num_epochs == 2
    assert ledger.records[KEY].seconds == 4.0
    assert ledger.records[KEY].checkpoint == "ray/0/2"


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_line_cut_off_by_a_crash_is_left_out_and_overwritten(ledger: Ledger, kept: float) -> None:
    for event in EVENTS[:3]:
        ledger.append(event)
    ledger.close()
    last = encode(EVENTS[3])
    journal = ledger.directory / "events.jsonl"
    with journal.open("a") as stream:
        stream.write(last[: int(len(last) * kept)])
    assert Ledger.open(ledger.directory).records[KEY].status == "running"
    again = Ledger.open(ledger.directory, writable=True)
    again.append(EVENTS[3])
    again.close()
    assert len(list(again.events())) == 4
    assert Ledger.open(ledger.directory).records[KEY].status == "completed"


def test_a_damaged_line_is_named(ledger: Ledger) -> None:
    ledger.append(EVENTS[0])
    with (ledger.directory / "events.jsonl").open("a") as stream:
        stream.write("garbage\n")
    with pytest.raises(ValueError, match=r"events\.jsonl, line 2"):
        Ledger.open(ledger.directory)


def test_listeners_hear_of_what_is_on_disk(ledger: Ledger) -> None:
    heard: list[Any] = []
    ledger.listeners.append(lambda event: heard.append((event, list(ledger.events())[-1])))
    for event in EVENTS[2::-2]:
        ledger.append(event) if isinstance(event, Dealt) else None
    assert heard == [(EVENTS[0], EVENTS[0])]


def test_one_writer_any_number_of_readers(ledger: Ledger) -> None:
    assert Ledger.open(ledger.directory).trials().empty
    with pytest.raises(ValueError, match="in use: another process"):
        Ledger.open(ledger.directory, writable=True)
    script = "import sys, pathlib; from study.ledger import Ledger; "
    script += "Ledger.open(pathlib.Path(sys.argv[1]), writable=True)"
    found = subprocess.run(
        [sys.executable, "-c", script, str(ledger.directory)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert "in use: another process" in found.stderr


def test_a_directory_holds_one_study(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds a study already"):
        Ledger.create(ledger.directory, SPACE, {})
    with pytest.raises(ValueError, match="expected a study directory"):
        Ledger.open(tmp_path)


def test_the_space_and_the_manifest_are_kept(ledger: Ledger) -> None:
    ledger.update_manifest(test_opened="now")
    again = Ledger.open(ledger.directory)
    assert again.space == SPACE
    assert again.manifest == {"objectives": {"a": {"metric": "val/loss"}}, "test_opened": "now"}
    assert again.objectives() == {"a": "val/loss", "b": "val/loss"}
