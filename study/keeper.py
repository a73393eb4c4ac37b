"""Who works on the study directory's files for the other nodes of a cluster: a Ray actor."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


class Keeper:
    """What works on the files, on the node where they are.

    Whatever it is asked may be asked twice: where a connection breaks, nobody knows whether the
    first time was heard.

    Args:
        root: no file outside of it is touched.
    """

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def info(self, path: str) -> tuple[str, int]:
        """`file`, `directory` or `missing`, and bytes."""
        found = self._inside(path)
        if found.is_dir():
            return "directory", 0
        return ("file", found.stat().st_size) if found.exists() else ("missing", 0)

    def below(self, path: str, recursive: bool) -> list[str]:
        """Paths of what lies in a directory.

        Raises:
            FileNotFoundError: there is none.
        """
        directory = self._inside(path)
        if not directory.is_dir():
            raise FileNotFoundError(path)
        return [
            str(found) for found in (directory.rglob("*") if recursive else directory.iterdir())
        ]

    def read(self, path: str, start: int, length: int) -> bytes:
        """A part of a file."""
        with self._inside(path).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def write(self, path: str, writer: str, start: int, chunk: bytes) -> None:
        """Writes a part of a file, which has a name of its writer's until it is whole."""
        unfinished = os.open(self._unfinished(path, writer), os.O_WRONLY | os.O_CREAT, 0o666)
        with os.fdopen(unfinished, "wb") as file:
            file.seek(start)
            file.write(chunk)

    def finish(self, path: str, writer: str) -> None:
        """Gives a file that is whole its name."""
        _rename(self._unfinished(path, writer), self._inside(path))

    def make(self, path: str) -> None:
        """Makes a directory, and those above it."""
        self._inside(path).mkdir(parents=True, exist_ok=True)

    def remove(self, path: str) -> None:
        """Removes a file or a directory, if it is there."""
        found = self._inside(path)
        if found.is_dir():
            shutil.rmtree(found)
        else:
            found.unlink(missing_ok=True)

    def move(self, source: str, target: str) -> None:
        """Renames."""
        _rename(self._inside(source), self._inside(target))

    def greet(self) -> None:
        """Nothing: that it arrives is enough."""

    def _inside(self, path: str) -> Path:
        found = Path(path).resolve()
        if not found.is_relative_to(self._root):
            raise ValueError(f"expected a path in {self._root}, found {path}")
        return found

    def _unfinished(self, path: str, writer: str) -> Path:
        found = self._inside(path)
        return found.with_name(f".{found.name}.{writer}")


def _rename(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except FileNotFoundError:
        if source.exists() or not target.exists():  # else it has been done before
            raise
