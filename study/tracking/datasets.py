"""The data of a study as MLflow's datasets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from study.ledger import Ledger
from study.preflight import data_names
from study.settings import settings_of
from study.tracking.safe import safe_text
from study.trainable import ClusteringConfig

MAX_DIGEST, MAX_NAME, MAX_SOURCE = 36, 500, 60_000


def datasets(ledger: Ledger, arm: str | None, splits: Iterable[str]) -> list[Any]:
    """What a run has read, as inputs for MLflow.

    The context of each is its split, its digest the fingerprint of the data.

    Args:
        ledger: of the study.
        arm: whose data; None for those of every arm.
        splits: those that were read.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag

    told, names = ledger.manifest.get("data") or {}, data_names(ledger.space)
    found: dict[tuple[str, str], Any] = {}
    for one in [arm] if arm else list(names):
        name, source = _name_and_source(ledger, one)
        for split in splits:
            summary = told.get(names[one], {}).get(split)
            if summary is None:
                continue
            digest = safe_text(str(summary["fingerprint"]), MAX_DIGEST)
            profile = json.dumps({"num_samples": summary["num_samples"]})
            made = Dataset(name, digest, "local", source, profile=profile)
            found.setdefault(
                (name, digest), DatasetInput(made, [InputTag("mlflow.data.context", split)])
            )
    return list(found.values())


def _name_and_source(ledger: Ledger, arm: str) -> tuple[str, str]:
    config = settings_of(ledger.space, arm)
    if isinstance(config, ClusteringConfig):
        name, source = "checkpoint", {"checkpoint": ledger.space.checkpoint}
    else:
        name, source = config.data.name, config.data.model_dump(mode="json")
    return safe_text(name, MAX_NAME), safe_text(json.dumps(source), MAX_SOURCE)
