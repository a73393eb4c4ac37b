"""A trial as MLflow has it on record, for when its study directory is gone.

A run has its whole configuration as an artifact, `config.json`, and every epoch as metrics; runs
of earlier versions have the configuration as params, as text. What the study says beside, its inner
search or the checkpoint that it clusters, is in `space.yaml`, an artifact of the study's own run.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from study.nesting import expanded
from study.recorded import STUDIES, Recorded, recorded_in
from study.settings import KINDS
from study.space import Space
from study.tracking.server import download, read_run
from study.tracking.shown import CONFIG, PARENT, REASON, STATUS

MAX_CHARACTERS = 6000
"""Params are cut off there."""
TUNED, NO_SETTING = "tuned.", ("arm",)
"""Params that are none of the configuration: what the inner search chose, and the arm."""
_STATUS = {"FAILED": "failed", "FINISHED": "completed"}


def is_run_id(text: str) -> bool:
    """Whether it looks like MLflow's name of a run, and not like a trial's."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


def recorded_run(run_id: str, study: Path | None = None) -> Recorded:
    """The trial of a run: out of its study directory, or out of MLflow alone where that is gone.

    Args:
        run_id: MLflow's name of the run.
        study: its study directory, if it is known.

    Raises:
        ValueError: there is no such run, or it holds too little.
    """
    run, histories = read_run(run_id)
    tags: Mapping[str, str] = run.data.tags
    key = tags.get("study.trial_key")
    if key is None or key == PARENT:
        what = "that of a whole study" if key else "no run of this platform's"
        raise ValueError(f"expected the run of a trial, found {what}: {run_id}")
    directory = study or _directory(tags)
    if directory is not None:
        return recorded_in(directory, key)
    return _from_mlflow(run, histories, key)


def _directory(tags: Mapping[str, str]) -> Path | None:
    """The study directory where the run says, or below `studies/`; None where it is gone."""
    named = [Path(tags["study.directory"])] if "study.directory" in tags else []
    for directory in [*named, *(path.parent for path in STUDIES.glob("*/manifest.json"))]:
        try:
            manifest = json.loads((directory / "manifest.json").read_text())
        except (OSError, ValueError):
            continue
        if manifest.get("study_id") == tags["study.id"] and (directory / "space.yaml").exists():
            return directory
    return None


def _from_mlflow(run: Any, histories: Mapping[str, Mapping[int, float]], key: str) -> Recorded:
    tags: Mapping[str, str] = run.data.tags
    files = _artifacts(tags.get("mlflow.parentRunId"), ("space.yaml", "manifest.json"))
    space = Space.model_validate(yaml.safe_load(files["space.yaml"])) if files else None
    params: Mapping[str, str] = run.data.params
    tuned = any(name.startswith(TUNED) for name in params)
    config = _config(run, key)
    clusters = set(config) <= {"optics", "seed"}
    if space is None and (tuned or clusters):
        raise ValueError(
            f"{key}: its study directory {tags.get('study.directory', '')} is gone, and "
            "MLflow has no space.yaml of the study, which says how it clustered; say --study DIR"
        )
    kind = KINDS[space.kind if space else "training"]
    if "seed" not in kind.model_fields:
        config.pop("seed", None)
    try:
        num_epochs = kind.model_validate(config).epochs
    except ValidationError as error:
        raise ValueError(f"{key}: what MLflow has of it is no configuration: {error}") from None
    status = tags.get(STATUS) or _STATUS.get(run.info.status, "running")
    return Recorded(
        trial_key=key,
        arm=tags["study.arm"],
        config=config,
        num_epochs=num_epochs,
        epochs=_by_epoch(histories),
        test={n: v for n, (*_, v) in _tested(histories).items()} or None,
        status=status,
        error=tags.get(REASON, tags.get("study.error")) if status == "failed" else None,
        space=space,
        manifest=json.loads(files["manifest.json"]) if files else {},
    )


def _config(run: Any, key: str) -> dict[str, Any]:
    """The whole configuration of a run, nested.

    Raises:
        ValueError: it cannot be had.
    """
    if "study.config" not in run.data.tags:  # of a version that had it as params
        params: Mapping[str, str] = run.data.params
        settings = {n for n in params if not n.startswith(TUNED) and n not in NO_SETTING}
        return config_of({name: params[name] for name in settings})
    found = _artifacts(run.info.run_id, (CONFIG,))
    if not found:
        raise ValueError(f"{key}: its {CONFIG} in MLflow cannot be had; say --study DIR")
    config: dict[str, Any] = json.loads(found[CONFIG])
    return config


def config_of(params: Mapping[str, str]) -> dict[str, Any]:
    """The configuration that params hold as text, by dotted name.

    Raises:
        ValueError: one of them was cut off.
    """
    for name, text in params.items():
        if len(text) >= MAX_CHARACTERS:
            raise ValueError(f"{name}: MLflow has the first {len(text)} characters of it alone")
    return expanded({name: _value(text) for name, text in params.items()})


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _by_epoch(histories: Mapping[str, Mapping[int, float]]) -> dict[int, dict[str, float]]:
    epochs: dict[int, dict[str, float]] = {}
    for name, values in histories.items():
        for step, value in values.items():
            if not name.startswith(("test/", "system/", "study/")):
                epochs.setdefault(step, {})[name] = value
    return epochs


def _tested(histories: Mapping[str, Mapping[int, float]]) -> dict[str, list[float]]:
    return {n: list(values.values()) for n, values in histories.items() if n.startswith("test/")}


def _artifacts(run: str | None, names: Iterable[str]) -> dict[str, str]:
    """Files of a run by name; empty where one of them can't be had."""
    with tempfile.TemporaryDirectory(prefix="study-") as directory:
        try:
            for name in names:
                download(f"runs:/{run}/{name}", Path(directory))
        except Exception:  # an artifact store may fail in any way
            return {}
        return {path.name: path.read_text() for path in Path(directory).iterdir()}
