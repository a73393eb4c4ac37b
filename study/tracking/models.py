"""The best models of a study in MLflow's registry: a version each, an alias an arm.

As all of the projection it may be done again at any time: a model is found by its digest. MLflow's
client is told where to write, so that no run is active meanwhile and no setting of the process
changes.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from study.ledger import Ledger
from study.tracking.choice import best_of_arms, champion
from study.tracking.entry import Entry
from study.tracking.model_files import save_model
from study.trainable import holds_network

CHAMPION = "champion"
"""The alias of the best arm's model."""
_TAKEN = re.compile(rf"{CHAMPION}|latest|v\d+|arm-.*", re.IGNORECASE)


def model_name(study: str) -> str:
    """Of the registered model of a study."""
    return f"mtdepth-{study}"


def alias_of(arm: str) -> str:
    """The alias of an arm: its name, or `arm-<name>` where that means something else.

    No two arms share one.
    """
    return f"arm-{arm}" if _TAKEN.fullmatch(arm) else arm


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

    def register(self) -> Iterator[str]:
        """Registers what isn't, and moves the aliases.

        Models that no network can be taken out of are passed over.

        Yields:
            The version of each arm, as soon as it is there.
        """
        best = best_of_arms(self._ledger)
        first = champion(self._ledger, best)
        for arm, record in best.items():
            entry = Entry(self._ledger, record)
            if not holds_network(entry.checkpoint):
                continue
            version = self._version(entry, self._logged(entry))
            self._point(alias_of(arm), version)
            if arm == first:
                self._point(CHAMPION, version)
            yield version

    def _logged(self, entry: Entry) -> Any:
        """The model in MLflow, which belongs to the trial's run."""
        from mlflow.entities import LoggedModelOutput

        key, tags = entry.record.dealt.trial_key, entry.identity
        run = self._runs[key]
        wanted = " AND ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
        found = self._client.search_logged_models([self._experiment], filter_string=wanted)
        model = next((model for model in found if model.source_run_id == run), None)
        if model is None:
            model = self._client.create_logged_model(
                self._experiment, key, source_run_id=run, tags=tags
            )
            output = LoggedModelOutput(model.model_id, step=entry.record.num_epochs)
            self._client.log_outputs(run, [output])
        if model.status != "READY":
            self._upload(model, entry.checkpoint)
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
            save_model(checkpoint, files, self._ledger.manifest["versions"], origin)
            self._client.log_model_artifacts(model.model_id, str(files))
        self._client.finalize_logged_model(model.model_id, "READY")

    def _version(self, entry: Entry, model: Any) -> str:
        """The version that a model is, registered if need be; what its tags tell is renewed."""
        name, told = self._name, {**entry.identity, **entry.reached()}
        if not self._client.search_registered_models(f"name = '{name}'"):
            self._client.create_registered_model(name)
        of_run = f"name = '{name}' AND run_id = '{model.source_run_id}'"
        for version in self._client.search_model_versions(of_run):
            if version.source == model.artifact_location:
                for key in [key for key in told if version.tags.get(key) != told[key]]:
                    self._client.set_model_version_tag(name, version.version, key, told[key])
                return str(version.version)
        made = self._client.create_model_version(
            name,
            model.artifact_location,
            run_id=model.source_run_id,
            model_id=model.model_id,
            tags=told,
            description=f"{self._ledger.space.question} Arm {entry.record.dealt.arm}.",
        )
        return str(made.version)

    def _point(self, alias: str, version: str) -> None:
        """Moves an alias, unless a newer study of the name has it."""
        held = self._client.get_registered_model(self._name).aliases.get(alias)
        if held is not None:
            holder = self._client.get_model_version(self._name, held)
            if holder.tags.get("study.started", "") > str(self._ledger.manifest["started"]):
                return
        if str(held) != version:
            self._client.set_registered_model_alias(self._name, alias, version)
