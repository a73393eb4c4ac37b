"""What differs between a study's ledger and its runs in MLflow, value by value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from study.ledger import Ledger
from study.tracking import artifacts
from study.tracking.datasets import datasets
from study.tracking.points import points
from study.tracking.runs import Runs, of_parent
from study.tracking.server import quiet
from study.tracking.shown import PARENT, REASON, Shown, shown_parent, shown_trial

NUM_READERS = 8
"""Runs that are read at once from a server; a database is read one by one."""
Values = Mapping[str, list[tuple[int, int, float | None]]]
"""Step, time and value of each metric, in order; None for NaN, which is like no other NaN."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Something that MLflow should show, and does not."""

    key: str
    """Of the trial, or of the parent run."""
    what: str
    expected: Any
    found: Any
    can_be_mended: bool
    """Whether writing mends it; if not, the run has to be made anew, as MLflow changes neither
    params nor values of metrics."""

    def __str__(self) -> str:
        return f"{self.key}: {self.what}: expected {self.expected!r}, found {self.found!r}"


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was looked over."""

    differences: tuple[Difference, ...]
    num_runs: int
    num_values: int
    """Metrics, params, tags, statuses, times, data sets and artifacts."""


def check(ledger: Ledger, uri: str) -> Check:
    """Holds MLflow against the ledger of a study that is not under way; writes nothing.

    What MLflow has beside, such as a tag that someone has put there, is left out of account.

    Args:
        ledger: of the study.
        uri: of the tracking server or its database.

    Raises:
        mlflow.exceptions.MlflowException: it cannot be reached.
    """
    with quiet():
        runs = Runs(ledger, uri)
        there = runs.all()
        parent = there[PARENT][0].info.run_id if PARENT in there else None
        checker = _Checker(ledger, runs.client, parent)
        expected = [shown_parent(ledger, is_running=False)]
        expected += [shown_trial(ledger, r, is_running=False) for r in ledger.records.values()]
        num_readers = NUM_READERS if uri.startswith("http") else 1
        with ThreadPoolExecutor(num_readers) as pool:
            found = list(pool.map(lambda shown: checker.run(shown, there.get(shown.key)), expected))
    return Check(
        differences=tuple(one for differences, _ in found for one in differences),
        num_runs=len(expected),
        num_values=sum(num_values for _, num_values in found),
    )


class _Checker:
    """Compares one run at a time."""

    def __init__(self, ledger: Ledger, client: Any, parent: str | None) -> None:
        self._ledger, self._client, self._parent = ledger, client, parent

    def run(self, shown: Shown, there: list[Any] | None) -> tuple[list[Difference], int]:
        """What differs, and how much was compared."""
        if not there:
            return [_differs(shown.key, "its run", "one", "none")], 1
        first, *others = there
        rows = list(self._rows(shown, first))
        found = [
            _differs(shown.key, what, expected, actual, can_be_mended=mends)
            for what, expected, actual, mends in rows
            if expected != actual
        ]
        if others:
            found.append(_differs(shown.key, "its run", "one", f"{len(there)}"))
        return found, len(rows)

    def _rows(self, shown: Shown, run: Any) -> Iterator[tuple[str, Any, Any, bool]]:
        """What is compared: its name, the expected, the actual, and whether writing mends it."""
        info, data = run.info, run.data
        yield "start", shown.started_ms, info.start_time, False
        yield "status", shown.status, info.status, True
        yield "end", shown.ended_ms, info.end_time, True
        tags = {**shown.tags, **of_parent(None if shown.key == PARENT else self._parent)}
        for name in (*tags, *({REASON} - set(tags))):
            yield f"tag {name}", tags.get(name), data.tags.get(name), True
        for name, value in shown.params.items():
            yield f"param {name}", value, data.params.get(name), name not in data.params
        yield from self._inputs(shown, run)
        there = artifacts.sizes(self._client, info.run_id, shown.files)
        for path, content in shown.files.items():
            yield f"artifact {path} (bytes)", artifacts.size(content), there.get(path), True
        if shown.key != PARENT:
            recorded = self._ledger.records[shown.key].mlflow_run_id
            yield "the ledger's name of its run", info.run_id, recorded, True
            yield from self._metrics(shown.key, run)

    def _inputs(self, shown: Shown, run: Any) -> Iterator[tuple[str, Any, Any, bool]]:
        def told(one: Any) -> tuple[str, str]:
            return one.dataset.source, ", ".join(tag.value for tag in one.tags)

        there = {(i.dataset.name, i.dataset.digest): told(i) for i in run.inputs.dataset_inputs}
        for one in datasets(self._ledger, shown.arm, shown.splits):
            name = (one.dataset.name, one.dataset.digest)
            yield f"data set {' '.join(name)}", told(one), there.get(name), True

    def _metrics(self, key: str, run: Any) -> Iterator[tuple[str, Any, Any, bool]]:
        expected: dict[str, list[Any]] = {}
        for point in points(self._ledger.records[key]):
            expected.setdefault(point.name, []).append(_value(point.step, point.time_ms, point))
        for name, values in expected.items():
            history = self._client.get_metric_history(run.info.run_id, name)
            if history and name not in run.data.metrics:
                yield f"metric {name}", "its last value", "none", False
            actual = sorted((_value(p.step, p.timestamp, p) for p in history), key=_by_step)
            surplus = [value for value in actual if value not in values]
            for value in [*values, *surplus]:
                there = value if value in actual else _at_step(actual, value)
                wanted = None if value in surplus else value
                yield f"metric {name} (step, time, value)", wanted, there, not surplus


def _value(step: int, time_ms: int, point: Any) -> tuple[int, int, float | None]:
    return step, time_ms, None if math.isnan(point.value) else point.value


def _by_step(value: tuple[int, int, float | None]) -> tuple[int, int]:
    return value[:2]


def _at_step(values: list[Any], wanted: Any) -> Any:
    """What is there in place of a value."""
    return next((value for value in values if value[0] == wanted[0]), None)


def _differs(
    key: str, what: str, expected: Any, found: Any, *, can_be_mended: bool = True
) -> Difference:
    return Difference(
        key=key, what=what, expected=expected, found=found, can_be_mended=can_be_mended
    )
