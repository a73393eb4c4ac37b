"""The trained model that a clustering study names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from study.space import IN_MLFLOW
from study.tracking.server import download, failure_line, tracking_uri, without_passwords
from study.trainable import checkpoints_below


def find_checkpoint(named: str | None, directory: Path) -> Path:
    """The directory of a checkpoint; one in MLflow is downloaded once.

    Args:
        named: a directory, `runs:/<run>/<path>`, or `models:/<name>@<alias>` or `/<version>`.
        directory: where a download goes.

    Raises:
        ValueError: none is named, or there is no checkpoint at that name.
    """
    if named is None:
        raise ValueError(
            "checkpoint: expected the trained model whose instances are clustered, found none; "
            "say --set checkpoint=DIR, such as studies/<study>/checkpoints/<trial>"
        )
    if not named.startswith(IN_MLFLOW):
        return Path(named)
    target = directory / re.sub(r"[^A-Za-z0-9]+", "-", named)
    if not target.is_dir():
        _download(named, target)
    found = checkpoints_below(target)
    if len(found) != 1:
        names = ", ".join(str(path.relative_to(target)) for path in found) or "none"
        raise ValueError(f"checkpoint: expected one trained model at {named}, found {names}")
    return found[0]


def _download(named: str, target: Path) -> None:
    """All or nothing."""
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        download(named, temporary)
    except Exception as error:  # a tracking server may fail in any way
        shutil.rmtree(temporary, ignore_errors=True)
        raise ValueError(
            f"checkpoint: expected a trained model at {named} in "
            f"{without_passwords(tracking_uri())}, found: {failure_line(error)}"
        ) from None
    temporary.rename(target)
