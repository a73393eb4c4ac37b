"""The ledger as MLflow shows it: one parent run a study, one child run a trial.

Everything here follows from the ledger and may be done again at
any time: runs are found by their tags, and a value that is there already is not written twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from study.ledger import Ledger
from study.nesting import flattened
from study.records import TrialRecord
from study.tracking.models import Registry
from study.tracking.server import quiet
from study.tracking.view import view_tag

MAX_METRICS_A_BATCH = 800
"""MLflow takes 1000 values at once, parameters and tags among them."""
PARENT = "study"
"""`study.phase` of the parent run."""
_STATUS = {"completed": "FINISHED", "pruned": "FINISHED", "cut": "FINISHED", "failed": "FAILED"}
_KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Else MLflow's page opens as if language models were developed."""
_ARTIFACTS = (
    "space.yaml", "manifest.json", "report.html", "report.md", "table.tex", "differences.tex",
    "figures",
)  # fmt: skip


class Mirror:
    """The runs of one study in MLflow.

    Args:
        ledger: what they are to show.
        uri: of the tracking server or its database.

    Raises:
        mlflow.exceptions.MlflowException: it cannot be reached.
    """

    def __init__(self, ledger: Ledger, uri: str) -> None:
        with quiet():
            from mlflow import MlflowClient

            self.num_synced = 0
            """How often a trial was brought up to date."""
            self._ledger = ledger
            self._study_id = str(ledger.manifest["study_id"])
            self._client = MlflowClient(tracking_uri=uri)
            self._experiment = self._experiment_id(ledger.space.study)
            self._runs = self._existing()
            self._num_epochs: dict[str, int] = {}
            self._is_running = False
            self._written: dict[str, str] = {}
            """The state of each trial as MLflow has it."""
            self._parent = self._runs.get(PARENT) or self._create(PARENT, self._parent_tags(), None)

    def sync(self, records: Iterable[TrialRecord], *, is_running: bool) -> dict[str, str]:
        """Brings the runs up to the ledger.

        Args:
            records: all trials of the study.
            is_running: whether the study is under way; what has no end otherwise was killed.

        Returns:
            The run of each trial.
        """
        with quiet():
            if is_running and not self._is_running:
                self._client.update_run(self._parent, "RUNNING")
            self._is_running = is_running
            for record in records:
                self._sync_trial(record, is_running)
        return {key: run for key, run in self._runs.items() if key != PARENT}

    def close(self) -> None:
        """Writes the study's own files, and how it ended."""
        with quiet():
            for name in _ARTIFACTS:
                path = self._ledger.directory / name
                if path.is_dir():
                    self._client.log_artifacts(self._parent, str(path), name)
                elif path.exists():
                    self._client.log_artifact(self._parent, str(path))
            self._save_view()
            ended = self._ledger.manifest["ended"]
            if ended:
                self._client.set_terminated(self._parent, "FINISHED", _milliseconds(ended))
                registry = Registry(self._ledger, self._client, self._experiment, self._runs)
                for _ in registry.register():
                    self.num_synced += 1
            else:
                self._client.update_run(self._parent, "KILLED")

    def _save_view(self) -> None:
        """For MLflow's page; the newest study of a name says which columns matter."""
        ledger = self._ledger
        objectives = ledger.objectives().values()
        tag = view_tag(ledger.space, objectives, _milliseconds(ledger.manifest["started"]))
        self._client.set_experiment_tag(self._experiment, *tag)

    def _experiment_id(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            return str(self._client.create_experiment(name, tags=_KIND))
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _existing(self) -> dict[str, str]:
        """Run by trial key; the oldest, should there be two."""
        wanted = f"tags.`study.id` = '{self._study_id}'"
        token, found = None, {}
        while True:
            page = self._client.search_runs(
                [self._experiment],
                wanted,
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            found.update({run.data.tags["study.trial_key"]: run.info.run_id for run in page})
            token = page.token
            if not token:
                return found

    def _parent_tags(self) -> dict[str, str]:
        return {
            "study.id": self._study_id,
            "study.phase": PARENT,
            "study.trial_key": PARENT,
            "study.directory": str(self._ledger.directory.resolve()),
            "mlflow.note.content": self._ledger.space.question,
        }

    def _create(self, key: str, tags: dict[str, str], started: str | None) -> str:
        time_ms = _milliseconds(started or self._ledger.manifest["started"])
        name = self._study_id if key == PARENT else key
        run = self._client.create_run(self._experiment, time_ms, tags, run_name=name)
        self._runs[key] = str(run.info.run_id)
        return self._runs[key]

    def _sync_trial(self, record: TrialRecord, is_running: bool) -> None:
        key = record.dealt.trial_key
        status = record.status if record.ended or is_running else "killed"
        state = f"{status} {record.num_epochs} {record.test is not None}"
        if self._written.get(key) == state:
            return
        from mlflow.entities import Param, RunTag

        run = self._runs.get(key)
        if run is None:
            run = self._create(key, self._trial_tags(record), record.dealt.time)
        told = {} if key in self._num_epochs else _settings(record)
        told |= {f"tuned.{name}": value for name, value in record.tuned.items()}
        tags = [RunTag("study.status", status)]
        if record.error:
            tags.append(RunTag("study.error", record.error))
        values = list(_values(record, self._num_epochs.get(key, 0)))
        params = [Param(name, str(value)[:6000]) for name, value in told.items()]
        first, rest = values[:MAX_METRICS_A_BATCH], values[MAX_METRICS_A_BATCH:]
        self._client.log_batch(run, metrics=first, params=params, tags=tags)
        for start in range(0, len(rest), MAX_METRICS_A_BATCH):
            self._client.log_batch(run, metrics=rest[start : start + MAX_METRICS_A_BATCH])
        if record.ended:
            self._client.set_terminated(run, _STATUS[record.status], _milliseconds(record.ended))
        else:
            self._client.update_run(run, "RUNNING" if is_running else "KILLED")
        self._num_epochs[key], self._written[key] = record.num_epochs, state
        self.num_synced += 1

    def _trial_tags(self, record: TrialRecord) -> dict[str, str]:
        dealt = record.dealt
        return {
            "study.id": self._study_id,
            "study.arm": dealt.arm,
            "study.phase": dealt.phase,
            "study.seed": str(dealt.seed),
            "study.trial_key": dealt.trial_key,
            "study.directory": str(self._ledger.directory.resolve()),
            "mlflow.parentRunId": self._parent,
        }


def _settings(record: TrialRecord) -> dict[str, Any]:
    """What was searched, by dotted name, and the whole configuration."""
    dealt = record.dealt
    return {**dict(flattened(dealt.config)), **dealt.params, "arm": dealt.arm, "seed": dealt.seed}


def _values(record: TrialRecord, first: int) -> Iterator[Any]:
    """MLflow's metrics of the epochs after `first`, and of the test; a NaN stays one."""
    from mlflow.entities import Metric

    for epoch in record.epochs:
        if epoch.epoch > first:
            time_ms = _milliseconds(epoch.time)
            for name, value in epoch.metrics.items():
                yield Metric(name, _finite_or_nan(value), time_ms, epoch.epoch)
    if record.test is not None:
        time_ms = _milliseconds(record.test.time)
        for name, value in record.test.metrics.items():
            yield Metric(name, _finite_or_nan(value), time_ms, record.num_epochs)


def _finite_or_nan(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)
