"""Who works on the study directory's files for the other nodes of a cluster: a Ray actor."""

from __future__ import annotations

import shutil
from pathlib import Path


class Keeper:
    """What works on the files, on the node where they are.

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

    def append(self, path: str, writer: str, chunk: bytes) -> None:
        """Adds to a file that is being written, under a name of its writer's."""
        with self._unfinished(path, writer).open("ab") as file:
            file.write(chunk)

    def finish(self, path: str, writer: str) -> None:
        """Gives a file that is whole its name."""
        self._unfinished(path, writer).replace(self._inside(path))

    def make(self, path: str) -> None:
        """Makes a directory, and those above it."""
        self._inside(path).mkdir(parents=True, exist_ok=True)

    def remove(self, path: str) -> None:
        """Removes a file or a directory."""
        found = self._inside(path)
        if found.is_dir():
            shutil.rmtree(found)
        else:
            found.unlink()

    def move(self, source: str, target: str) -> None:
        """Renames."""
        self._inside(source).replace(self._inside(target))

    def _inside(self, path: str) -> Path:
        found = Path(path).resolve()
        if not found.is_relative_to(self._root):
            raise ValueError(f"expected a path in {self._root}, found {path}")
        return found

    def _unfinished(self, path: str, writer: str) -> Path:
        found = self._inside(path)
        return found.with_name(f".{found.name}.{writer}")
