"""The ledger, and what it comes to, as tidy tables: no column holds a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import pandas as pd

from study.ledger import Ledger
from study.results import Results

TableName = Literal["trials", "epochs", "test"]
TABLES: tuple[TableName, ...] = get_args(TableName)
_SPREAD = {"params": "params.", "tuned": "tuned.", "metrics": ""}
"""Columns of dictionaries, and what the names in them are put behind."""


def tidy(ledger: Ledger, table: TableName) -> pd.DataFrame:
    """One of the tables.

    `trials` has a row a trial, `epochs` one a trial, epoch and metric, `test` one a trial and test
    image. What a trial has no value of is NaN, or None.

    Raises:
        ValueError: there is no such table.
    """
    tables = {"trials": ledger.trials, "epochs": ledger.epochs, "test": ledger.test}
    if table not in tables:
        raise ValueError(f"expected one of the tables {', '.join(TABLES)}, found {table!r}")
    return _spread(tables[table]())


def _spread(frame: pd.DataFrame) -> pd.DataFrame:
    """Each column of dictionaries as columns of its own, in its place."""
    columns: dict[str, Any] = {}
    for name in frame.columns:
        if name not in _SPREAD:
            columns[name] = frame[name]
            continue
        rows: list[Mapping[str, Any]] = list(frame[name])
        keys = sorted({key for row in rows for key in row})
        columns |= {f"{_SPREAD[name]}{key}": [row.get(key) for row in rows] for key in keys}
    return pd.DataFrame(columns, index=frame.index)


def arms(results: Results) -> pd.DataFrame:
    """A row an arm and metric that has a value: mean, spread, and the mean's interval."""
    names = ["arm", "metric", "num_seeds", "mean", "std", "low", "high"]
    rows = [
        (arm, metric, found.num, found.mean, found.std, *found.interval)
        for metric in results.metrics()
        for arm, by_metric in results.summaries.items()
        if (found := by_metric[metric]).num
    ]
    return pd.DataFrame(rows, columns=names)


def comparisons(results: Results) -> pd.DataFrame:
    """A row a comparison: arm minus reference, Student's interval, p (Holm), what may be said."""
    names = [
        "arm", "reference", "metric", "num_pairs", "difference", "low", "high", "effect",
        "p_value", "p_adjusted", "is_better", "claim",
    ]  # fmt: skip
    rows = [
        (
            found.arm,
            found.reference,
            found.metric,
            found.difference.num_pairs,
            found.difference.mean,
            found.difference.low,
            found.difference.high,
            found.difference.effect,
            found.difference.p_value,
            found.p_adjusted,
            found.is_better,
            found.claim.verdict,
        )
        for found in results.comparisons
    ]
    return pd.DataFrame(rows, columns=names)
