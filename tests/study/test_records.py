"""What is known of trials as events come in, and as tables keep it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from study import tables
from study.events import Dealt, EpochEnded, Event, Judged, Tracked, TrialEnded, decode, encode, now
from study.records import TrialRecord, apply
from tests.study.ledgers import trial

KEY = "confirm-a-seed1"
ONE = {"a": 1.0, "b": 1.0}
"""Devices of a trial."""


def told(events: list[Event]) -> dict[str, TrialRecord]:
    records: dict[str, TrialRecord] = {}
    for event in events:
        apply(records, event)
    return records


def epoch(number: int, seconds: float = 1.0, **metrics: float) -> EpochEnded:
    return EpochEnded(
        trial_key=KEY, epoch=number, metrics=metrics, checkpoint=f"ray/{number}", seconds=seconds
    )


def dealt() -> Dealt:
    (found, *_) = trial("a", 1, status="running")
    assert isinstance(found, Dealt)
    return found


def test_a_trial_goes_from_dealt_to_ended() -> None:
    records = told([dealt()])
    record = records[KEY]
    assert (record.status, record.num_epochs, record.checkpoint) == ("running", 0, None)
    apply(records, epoch(1, x=2.0, once=7.0))
    apply(records, epoch(2, seconds=3.0, x=1.0))
    assert (record.num_epochs, record.checkpoint, record.seconds) == (2, "ray/2", 4.0)
    assert record.metrics == {"x": 1.0, "once": 7.0}, "the last value of each"
    apply(records, TrialEnded(trial_key=KEY, status="completed", checkpoint="kept", seconds=1.0))
    assert (record.status, record.checkpoint, record.seconds) == ("completed", "kept", 5.0)
    apply(records, Judged(trial_key=KEY, metrics={"test/x": 3.0, "x": 9.0}, images=[]))
    assert record.metrics == {"x": 9.0, "once": 7.0, "test/x": 3.0}
    apply(records, Tracked(trial_key=KEY, run_id="run"))
    assert record.mlflow_run_id == "run"


@pytest.mark.parametrize("status", ["failed", "pruned", "completed"])
def test_what_has_ended_has_no_checkpoint_but_one_that_is_kept(status: Any) -> None:
    ended = TrialEnded(trial_key=KEY, status=status, error="why")
    record = told([dealt(), epoch(1), ended])[KEY]
    assert (record.status, record.error, record.checkpoint) == (status, "why", None)
    assert record.ended == ended.time
    kept = replace(ended, checkpoint="kept")
    assert told([dealt(), epoch(1), kept])[KEY].checkpoint == "kept"


def test_what_is_heard_again_changes_nothing() -> None:
    events = [dealt(), epoch(1, x=1.0), epoch(2, x=2.0)]
    again = [*events, epoch(1, x=8.0), epoch(2, x=9.0), replace(dealt(), seed=5, time="later")]
    assert told(again) == told(events)


def test_an_event_of_a_trial_that_was_never_dealt_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        told([epoch(1)])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e-310, 0.1 + 0.2])
def test_numbers_survive_a_line(value: float) -> None:
    found = decode(encode(epoch(1, x=value)))
    assert isinstance(found, EpochEnded)
    assert repr(found.metrics) == repr({"x": value})
    assert "\n" not in encode(replace(dealt(), arm="a\nb\u2028c"))


@pytest.mark.parametrize("line", ['{"event": "Dealt"}', '{"event": "Tracked", "x": 1}', "x", ""])
def test_a_line_of_another_version_is_refused(line: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        decode(line)


def test_times_are_utc_to_the_millisecond() -> None:
    found = datetime.fromisoformat(now())
    assert found.utcoffset() == timedelta(0)
    assert now()[-10:-6].startswith(".")
    assert now() <= now(), "they sort as text"


@pytest.mark.parametrize("num_devices", [1.0, 0.25, 4.0])
def test_a_device_is_paid_for_by_its_share(num_devices: float) -> None:
    records = told(trial("a", 1, epochs=3))
    table = tables.trials(records.values(), {"a": "val/depth/abs_rel"}, {"a": num_devices})
    assert table["device_seconds"].tolist() == [180.0 * num_devices]


def test_an_arm_without_its_objective_has_none() -> None:
    records = told([*trial("a", 1, val=0.5), *trial("b", 1, val=0.5)])
    table = tables.trials(records.values(), {"a": "val/depth/abs_rel", "b": "val/x"}, ONE)
    assert table["objective"][0] == 0.5
    assert math.isnan(table["objective"][1])


def test_tables_read_back_as_they_were_written(tmp_path: Path) -> None:
    events = [
        *trial("a", 1, params={"tasks": ["depth"], "flag": None, "lr": 1e-4}, val=math.nan),
        *trial("b", 2, status="failed", error="größer | <b>"),
        *trial("b", 3, status="running", epochs=0),
        *trial("a", 2, epochs=3, test={"test/x": 1.0, "test/y": math.nan}),
    ]
    records = told(events).values()
    objectives = dict.fromkeys("ab", "val/depth/abs_rel")
    for name, table in (
        ("trials", tables.trials(records, objectives, ONE)),
        ("epochs", tables.epochs(records)),
        ("test", tables.test(records)),
    ):
        tables.write(tmp_path / f"{name}.parquet", table)
        again = tables.read(tmp_path / f"{name}.parquet")
        assert len(table) > 0
        assert repr(again.to_dict("records")) == repr(table.to_dict("records"))
        assert list(again.dtypes) == list(table.dtypes)
    assert len(tables.epochs(records)) == 1 + 1 + 0 + 3
    failed = tables.read(tmp_path / "trials.parquet").query("status == 'failed'")
    assert failed["error"].tolist() == ["größer | <b>"]


def test_dictionaries_are_json_for_any_reader(tmp_path: Path) -> None:
    records = told(trial("a", 1, params={"tasks": ["depth"]})).values()
    tables.write(tmp_path / "trials.parquet", tables.trials(records, {"a": "x"}, ONE))
    (row,) = pq.read_table(tmp_path / "trials.parquet").to_pylist()
    assert json.loads(row["params"]) == {"tasks": ["depth"]}
