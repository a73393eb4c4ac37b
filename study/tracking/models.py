"""The best models of a study in MLflow's registry: a version each, an alias an arm.

As all of the projection it may be done again at any time: a model is found by its digest.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from study.ledger import Ledger
from study.records import TrialRecord
from study.report.numbers import mean_and_std, number
from study.statistics import summarise
from study.tracking.choice import best_of_arms, candidates, champion
from study.tracking.model_files import save_model
from study.trainable import holds_network
from study.words import counted

CHAMPION = "champion"
"""The alias of the best arm's model."""
_RESERVED = re.compile(rf"{CHAMPION}|latest|v\d+|arm-.*", re.IGNORECASE)


def model_name(study: str) -> str:
    """Of the registered model of a study."""
    return f"mtdepth-{study}"


def alias_of(arm: str) -> str:
    """The alias of an arm: its name, or `arm-<name>` where that means something else.

    No two arms share one.
    """
    return f"arm-{arm}" if _RESERVED.fullmatch(arm) else arm


class Registry:
    """The registered model of a study.

    Args:
        ledger: of the study, which has ended.
        client: MLflow's.
        experiment_id: of the study's runs.
        runs: run by trial key.
    """

    def __init__(
        self, ledger: Ledger, client: Any, experiment_id: str, runs: Mapping[str, str]
    ) -> None:
        self._ledger, self._client = ledger, client
        self._experiment, self._runs = experiment_id, runs
        self._name = model_name(ledger.space.study)
        self._manifest = ledger.manifest

    def register(self) -> Iterator[str]:
        """Registers what isn't, and moves the aliases.

        Models that no network can be taken out of are passed over.

        Yields:
            The version of each arm, as soon as it is there.
        """
        best = best_of_arms(self._ledger)
        first = champion(self._ledger, best)
        for arm, record in best.items():
            checkpoint = self._ledger.directory / str(record.kept)
            if not holds_network(checkpoint):
                continue
            tags = self._tags(record, checkpoint)
            version = self._version(record, tags, self._logged(record, tags, checkpoint))
            self._point(alias_of(arm), version)
            if arm == first:
                self._point(CHAMPION, version)
            yield version

    def _logged(self, record: TrialRecord, tags: Mapping[str, str], checkpoint: Path) -> Any:
        """The model in MLflow, which belongs to the trial's run."""
        from mlflow.entities import LoggedModelOutput

        run = self._runs[record.dealt.trial_key]
        wanted = " AND ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
        found = self._client.search_logged_models([self._experiment], filter_string=wanted)
        model = next((model for model in found if model.source_run_id == run), None)
        if model is None:
            model = self._client.create_logged_model(
                self._experiment, record.dealt.trial_key, source_run_id=run, tags=tags
            )
            output = LoggedModelOutput(model.model_id, step=record.num_epochs)
            self._client.log_outputs(run, [output])
        if model.status != "READY":
            self._upload(model, checkpoint)
        return model

    def _upload(self, model: Any, checkpoint: Path) -> None:
        origin = {
            "artifact_path": model.artifact_location,
            "run_id": model.source_run_id,
            "model_uuid": model.model_id,
            "model_id": model.model_id,
        }
        with tempfile.TemporaryDirectory(prefix="study-") as directory:
            files = Path(directory, "model")
            save_model(checkpoint, files, self._manifest["versions"], origin)
            self._client.log_model_artifacts(model.model_id, str(files))
        self._client.finalize_logged_model(model.model_id, "READY")

    def _version(self, record: TrialRecord, tags: Mapping[str, str], model: Any) -> str:
        """The version that a model is, registered if need be; what its tags tell is renewed."""
        told = {**tags, **self._told(record)}
        if not self._client.search_registered_models(f"name = '{self._name}'"):
            self._client.create_registered_model(self._name)
        of_run = f"name = '{self._name}' AND run_id = '{model.source_run_id}'"
        for version in self._client.search_model_versions(of_run):
            if version.source == model.artifact_location:
                for key in [key for key in tags if version.tags.get(key) != tags[key]]:
                    self._client.set_model_version_tag(self._name, version.version, key, tags[key])
                return str(version.version)
        made = self._client.create_model_version(
            self._name,
            model.artifact_location,
            run_id=model.source_run_id,
            model_id=model.model_id,
            tags=told,
            description=f"{self._ledger.space.question} Arm {record.dealt.arm}.",
        )
        return str(made.version)

    def _point(self, alias: str, version: str) -> None:
        """Moves an alias, unless a newer study of the name has it."""
        held = self._client.get_registered_model(self._name).aliases.get(alias)
        if held is not None:
            holder = self._client.get_model_version(self._name, held)
            if str(holder.tags.get("study.started", "")) > str(self._manifest["started"]):
                return
        if held is None or str(held) != version:
            self._client.set_registered_model_alias(self._name, alias, version)

    def _tags(self, record: TrialRecord, checkpoint: Path) -> dict[str, str]:
        """What a model is known by."""
        return {
            "study.id": str(self._manifest["study_id"]),
            "study.started": str(self._manifest["started"]),
            "study.arm": record.dealt.arm,
            "study.trial_key": record.dealt.trial_key,
            "study.seed": str(record.dealt.seed),
            "study.digest": _digest(checkpoint),
        }

    def _told(self, record: TrialRecord) -> dict[str, str]:
        """What the model reached, and its arm over all seeds, in the metrics of the study."""
        own, arm = record.metrics, candidates(self._ledger, record.dealt.arm)
        shown = (self._ledger.objectives()[record.dealt.arm], *self._ledger.space.compare.metrics)
        told = {}
        for metric in [metric for metric in shown if metric in own]:
            told[metric] = number(own[metric])
            if record.phase == "confirm":
                found = summarise(
                    {r.dealt.seed: r.metrics[metric] for r in arm if metric in r.metrics}
                )
                over = f"{mean_and_std(found)} over {counted(found.num, 'seed')}"
                told[metric] += f" (arm: {over})"
        return told


def _digest(checkpoint: Path) -> str:
    """Of all files of a checkpoint, in hexadecimal digits."""
    found = hashlib.sha256()
    for path in sorted(checkpoint.iterdir()):
        with path.open("rb") as file:
            found.update(f"{path.name} ".encode())
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()
