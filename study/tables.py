"""The ledger as tables: a row a trial, a row an epoch and metric, a row a test image."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from study.files import write_atomically
from study.records import TrialRecord

_NAMES: dict[str, pa.DataType] = {
    "phase": pa.string(),
    "arm": pa.string(),
    "trial_key": pa.string(),
    "seed": pa.int64(),
}
TRIALS = pa.schema(
    {
        **_NAMES,
        "status": pa.string(),
        "error": pa.string(),
        "epochs": pa.int64(),
        "params": pa.string(),
        "tuned": pa.string(),
        "metrics": pa.string(),
        "objective": pa.float64(),
        "device_seconds": pa.float64(),
        "places": pa.string(),
        "started": pa.string(),
        "ended": pa.string(),
        "mlflow_run_id": pa.string(),
        "checkpoint": pa.string(),
    }
)
EPOCHS = pa.schema({**_NAMES, "epoch": pa.int64(), "metric": pa.string(), "value": pa.float64()})
TEST = pa.schema(
    {
        **{name: kind for name, kind in _NAMES.items() if name != "phase"},
        "image": pa.string(),
        "metrics": pa.string(),
    }
)
_JSON = ("params", "tuned", "metrics")


def trials(
    records: Iterable[TrialRecord],
    objectives: Mapping[str, str],
    num_devices: Mapping[str, float],
) -> pd.DataFrame:
    """A row a trial.

    Args:
        records: the trials.
        objectives: the metric of each arm.
        num_devices: how many devices a trial of each arm holds while it runs.
    """
    rows = [
        _trial(record, objectives[record.dealt.arm], num_devices[record.dealt.arm])
        for record in records
    ]
    return _frame(rows, TRIALS)


def _trial(record: TrialRecord, objective: str, num_devices: float) -> dict[str, Any]:
    metrics = record.metrics
    return {
        **record.row(),
        "status": record.status,
        "error": record.error,
        "epochs": record.num_epochs,
        "params": record.dealt.params,
        "tuned": record.tuned,
        "metrics": metrics,
        "objective": metrics.get(objective, float("nan")),
        "device_seconds": record.seconds * num_devices,
        "places": "; ".join(record.places),
        "started": record.dealt.time,
        "ended": record.ended,
        "mlflow_run_id": record.mlflow_run_id,
        "checkpoint": record.checkpoint,
    }


def epochs(records: Iterable[TrialRecord]) -> pd.DataFrame:
    """A row a trial, epoch and metric."""
    rows = [
        {**record.row(), "epoch": epoch.epoch, "metric": name, "value": value}
        for record in records
        for epoch in record.epochs
        for name, value in epoch.metrics.items()
    ]
    return _frame(rows, EPOCHS)


def test(records: Iterable[TrialRecord]) -> pd.DataFrame:
    """A row a trial and image of the test split."""
    rows = [
        {
            **record.row(),
            "image": image["image"],
            "metrics": {name: value for name, value in image.items() if name != "image"},
        }
        for record in records
        if record.test
        for image in record.test.images
    ]
    return _frame(rows, TEST)


def _frame(rows: list[dict[str, Any]], schema: pa.Schema) -> pd.DataFrame:
    """A table with all columns of its schema, and None where text is missing."""
    columns = {}
    for name in schema.names:
        kind = schema.field(name).type
        dtype = object if kind == pa.string() else kind.to_pandas_dtype()
        columns[name] = pd.Series([row[name] for row in rows], dtype=dtype)
    return pd.DataFrame(columns)


_SCHEMAS = {"trials.parquet": TRIALS, "epochs.parquet": EPOCHS, "test.parquet": TEST}


def write(path: Path, table: pd.DataFrame) -> None:
    """Writes one of the tables, atomically; dictionaries become JSON."""
    encoded = table.assign(
        **{name: table[name].map(json.dumps) for name in _JSON if name in table.columns}
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_pandas(encoded, schema=_SCHEMAS[path.name], preserve_index=False), buffer
    )
    write_atomically(path, buffer.getvalue().to_pybytes())


def read(path: Path) -> pd.DataFrame:
    """Reads one of the tables; JSON becomes dictionaries."""
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        row.update({name: json.loads(row[name]) for name in _JSON if name in row})
    return _frame(rows, _SCHEMAS[path.name])
