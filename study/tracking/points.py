"""The metrics of a trial as MLflow has them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from study.records import TrialRecord
from study.tracking.safe import safe_name

EPOCHS = "study/epochs"
"""Metric: how many epochs are there. It is written together with what they reached."""


class Point(NamedTuple):
    """A value of a metric; `nan` also for an infinite one."""

    name: str
    value: float
    time_ms: int
    step: int


def points(record: TrialRecord, after_epoch: int = 0) -> Iterator[Point]:
    """The metrics of the epochs after one, and of the test split."""
    for epoch in record.epochs:
        if epoch.epoch > after_epoch:
            time_ms = milliseconds(epoch.time)
            system = {f"system/{name}": value for name, value in epoch.system.items()}
            for name, value in {**epoch.metrics, **system}.items():
                yield Point(safe_name(name), _finite_or_nan(value), time_ms, epoch.epoch)
            yield Point(EPOCHS, float(epoch.epoch), time_ms, epoch.epoch)
    if record.test is not None:
        time_ms = milliseconds(record.test.time)
        for name, value in record.test.metrics.items():
            yield Point(safe_name(name), _finite_or_nan(value), time_ms, record.num_epochs)


def milliseconds(time: str) -> int:
    """A time of the ledger as MLflow has it."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def _finite_or_nan(value: Any) -> float:
    return float(value) if math.isfinite(value) else math.nan
