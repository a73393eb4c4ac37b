"""The ledger as MLflow shows it: one parent run a study, one child run a trial.

Everything here follows from the ledger and may be done again at any time: runs are found by their
tags, each says how much of it is there, and a value that is there already is not written twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from study.ledger import Ledger
from study.records import TrialRecord
from study.tracking import artifacts
from study.tracking.datasets import datasets
from study.tracking.models import Registry
from study.tracking.points import points
from study.tracking.runs import Runs, of_parent
from study.tracking.server import quiet
from study.tracking.shown import (
    PARENT,
    REASON,
    WRITTEN,
    Shown,
    shown_parent,
    shown_trial,
)
from study.tracking.there import There
from study.tracking.view import view_tag


class Mirror:
    """The runs of one study in MLflow.

    Args:
        ledger: what they are to show.
        uri: of the tracking server or its database.

    Raises:
        mlflow.exceptions.MlflowException: it cannot be reached.
    """

    def __init__(self, ledger: Ledger, uri: str) -> None:
        self.num_synced = 0
        """How often a trial was brought up to date."""
        self._ledger = ledger
        self._known: dict[str, tuple[Any, ...]] = {}
        """What is known of each trial that has been written."""
        with quiet():
            self._all = Runs(ledger, uri)
            self.client = self._all.client
            self._experiment = self._all.experiment()
            self._runs: dict[str, str] = {}
            self._there: dict[str, There] = {}
            for key, (run, *others) in self._all.all().items():
                self._runs[key], self._there[key] = run.info.run_id, There(run)
                for other in others:  # a crash, or an answer that got lost, left it
                    self.client.delete_run(other.info.run_id)
            self.parent = self._runs.get(PARENT) or self._start_parent()

    def sync(self, records: Iterable[TrialRecord], *, is_running: bool) -> dict[str, str]:
        """Brings the runs up to the ledger.

        Args:
            records: all trials of the study.
            is_running: whether the study is under way; what has no end otherwise was interrupted.

        Returns:
            The run of each trial.
        """
        with quiet():
            if is_running and self._there[PARENT].status != "RUNNING":
                self._set_status(shown_parent(self._ledger, is_running=True))
            for record in records:
                self._sync_trial(record, is_running)
        return {key: run for key, run in self._runs.items() if key != PARENT}

    def close(self) -> None:
        """Writes the study's own files, and how it ended."""
        shown = shown_parent(self._ledger, is_running=False)
        with quiet():
            self._log_start(shown)
            self._save_view(shown)
            self._set_status(shown)
        self.register()

    def register(self) -> None:
        """Registers the best model of each arm of a study that has ended."""
        if not self._ledger.manifest["ended"]:
            return
        with quiet():
            registry = Registry(self._ledger, self.client, self._experiment, self._runs)
            for _ in registry.register():
                self.num_synced += 1

    def _save_view(self, shown: Shown) -> None:
        """For MLflow's page; the newest study of a name says which columns matter."""
        objectives = self._ledger.objectives().values()
        tag = view_tag(self._ledger.space, objectives, shown.started_ms)
        self.client.set_experiment_tag(self._experiment, *tag)

    def forget(self, key: str, *, remakes: bool) -> None:
        """Has a run written anew by the next sync.

        Args:
            key: of the trial, or of the parent.
            remakes: whether it holds what MLflow cannot change, so that another takes its place.
        """
        self._known.pop(key, None)
        if not remakes:
            self._there[key] = self._there.get(key, There(None)).doubted()
        elif key in self._runs:
            self.client.delete_run(self._runs.pop(key))
            self._there.pop(key, None)
        if key == PARENT:
            self.parent = self._start_parent()

    def _start_parent(self) -> str:
        """The parent run with all that is known from the start."""
        shown = shown_parent(self._ledger, is_running=True)
        self.parent = self._run_of(shown, None)
        self._all.write(self.parent, (), {}, shown.tags)
        self._log_start(shown)
        self._save_view(shown)
        return self.parent

    def _sync_trial(self, record: TrialRecord, is_running: bool) -> None:
        key = record.dealt.trial_key
        known = (record.ended or is_running, record.status, record.num_epochs, record.test is None)
        if self._known.get(key) == known:
            return
        shown = shown_trial(self._ledger, record, is_running=is_running)
        there = self._there.get(key, There(None))
        if not there.has(shown):
            self._write_trial(shown, record, there)
            self.num_synced += 1
        self._known[key] = known

    def _write_trial(self, shown: Shown, record: TrialRecord, there: There) -> None:
        """The tag that tells what is written is the last: what it says is there, is there."""
        run = self._run_of(shown, self.parent)
        if there.written is None:
            self._log_start(shown)
        elif there.written != shown.tags[WRITTEN]:
            pictures = list(shown.files.items())[1 + there.num_pictures :]
            artifacts.write(self.client, run, dict(pictures))
            if record.test is not None:
                self._log_data(shown)
        if REASON in there.tags and REASON not in shown.tags:
            self.client.delete_tag(run, REASON)
        told = points(record, there.num_epochs)
        params = {n: v for n, v in shown.params.items() if n not in there.params}
        changed = {n: v for n, v in shown.tags.items() if there.tags.get(n) != v}
        if there.written is None:
            changed |= of_parent(self.parent)
        self._all.write(run, told, params, changed)
        self._set_status(shown)

    def _run_of(self, shown: Shown, parent: str | None) -> str:
        """The run, made where it is missing."""
        if shown.key not in self._runs:
            self._runs[shown.key] = self._all.create(self._experiment, shown, parent)
            self._there[shown.key] = There(None, status="RUNNING")
        return self._runs[shown.key]

    def _log_start(self, shown: Shown) -> None:
        """All that a run has from the start, or its files once more."""
        artifacts.write(self.client, self._runs[shown.key], shown.files)
        self._log_data(shown)

    def _log_data(self, shown: Shown) -> None:
        found = datasets(self._ledger, shown.arm, shown.splits)
        if found:
            self.client.log_inputs(self._runs[shown.key], datasets=found)

    def _set_status(self, shown: Shown) -> None:
        """How a run ended, or that it goes on; and what is there from now on."""
        run, there = self._runs[shown.key], self._there[shown.key]
        if (there.status, there.ended_ms) != (shown.status, shown.ended_ms):
            if shown.ended_ms is None:
                if there.status != shown.status:
                    self.client.update_run(run, shown.status)
            else:
                self.client.set_terminated(run, shown.status, shown.ended_ms)
        self._there[shown.key] = There.of(shown)
