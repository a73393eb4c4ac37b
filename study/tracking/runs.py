"""The runs of one study in MLflow: found by their tags, made, and put in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from study.ledger import Ledger
from study.tracking.server import connect
from study.tracking.shown import KEY, Shown

MAX_METRICS, MAX_OTHERS = 1000, 100
"""Of a batch; tags and params each have their own hundred, and all are a thousand together."""
_KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Else MLflow's page opens as if language models were developed."""


class Runs:
    """What MLflow has of a study.

    Args:
        ledger: of the study.
        uri: of the tracking server or its database.
    """

    def __init__(self, ledger: Ledger, uri: str) -> None:
        self.client = connect(uri)
        self._name = ledger.space.study
        self._study_id = str(ledger.manifest["study_id"])
        self._recorded = {k: r.mlflow_run_id for k, r in ledger.records.items()}

    def all(self) -> dict[str, list[Any]]:
        """The runs of each trial, and of the parent: the one that counts first.

        That is the one that the ledger knows, or else the oldest.
        """
        experiment = self.client.get_experiment_by_name(self._name)
        found: dict[str, list[Any]] = {}
        for run in self._search(experiment.experiment_id) if experiment else ():
            if KEY in run.data.tags:
                found.setdefault(run.data.tags[KEY], []).append(run)
        for key, runs in found.items():
            runs.sort(key=lambda run, k=key: run.info.run_id != self._recorded.get(k))  # type: ignore[misc]
        return found

    def experiment(self) -> str:
        """The experiment of the study's name, made or restored where it is not there."""
        found = self.client.get_experiment_by_name(self._name)
        if found is None:
            return str(self.client.create_experiment(self._name, tags=_KIND))
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def create(self, experiment: str, shown: Shown, parent: str | None) -> str:
        """A run with what never changes of it."""
        fixed = {n: v for n, v in shown.tags.items() if n in _FIXED} | of_parent(parent)
        run = self.client.create_run(experiment, shown.started_ms, fixed, run_name=shown.name)
        return str(run.info.run_id)

    def write(
        self, run: str, points: Iterable[Any], params: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """Metrics and params, then tags, in as few batches as MLflow allows."""
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(*point) for point in points]
        settings = [Param(*item) for item in params.items()]
        room = MAX_METRICS - MAX_OTHERS - len(tags)
        while len(metrics) > room or len(settings) > MAX_OTHERS:
            self.client.log_batch(run, metrics=metrics[:room], params=settings[:MAX_OTHERS])
            metrics, settings = metrics[room:], settings[MAX_OTHERS:]
        told = [RunTag(*item) for item in tags.items()]
        self.client.log_batch(run, metrics=metrics, params=settings, tags=told)

    def _search(self, experiment: str) -> Iterator[Any]:
        wanted, token = f"tags.`study.id` = '{self._study_id}'", None
        while True:
            page = self.client.search_runs(
                [experiment], wanted, order_by=["attributes.start_time ASC"], page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return


_FIXED = (
    KEY, "study.id", "study.arm", "study.phase", "study.seed", "study.config", "study.directory",
    "mlflow.note.content",
)  # fmt: skip
"""Tags that a run is made with."""


def of_parent(parent: str | None) -> dict[str, str]:
    """The tag that puts a run beneath its parent."""
    return {} if parent is None else {"mlflow.parentRunId": parent}
