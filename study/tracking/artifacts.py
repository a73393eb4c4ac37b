"""Artifacts of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any


def write(client: Any, run: str, files: Mapping[str, Path | str]) -> None:
    """Puts files and texts at their paths; what lies there is replaced."""
    for path, content in files.items():
        if isinstance(content, str):
            client.log_text(run, content, path)
        else:
            folder = str(PurePosixPath(path).parent)
            client.log_artifact(run, str(content), None if folder == "." else folder)


def sizes(client: Any, run: str, files: Iterable[str]) -> dict[str, int]:
    """The bytes of those artifacts of a run that are there."""
    wanted = set(files)
    folders = {str(PurePosixPath(path).parent) for path in wanted}
    listed = [
        one
        for folder in folders
        for one in client.list_artifacts(run, None if folder == "." else folder)
    ]
    return {one.path: one.file_size for one in listed if one.path in wanted}


def size(content: Path | str) -> int:
    """The bytes that an artifact is to have."""
    return len(content.encode()) if isinstance(content, str) else content.stat().st_size
