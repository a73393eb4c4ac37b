"""Files that are either whole or absent, and where they may be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside a file to write to; the file takes its place if the block ends without error.

    The suffix is kept, as many writers go by it. The directory is made when it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def expect_writable(directory: Path) -> None:
    """Sees, before long work, that its results can be written. Nothing is made.

    Args:
        directory: need not be there; what is missing of it can then be made.

    Raises:
        ValueError: it can be neither written to nor made.
    """
    absolute = directory.absolute()
    nearest = next(place for place in (absolute, *absolute.parents) if place.exists())
    if not nearest.is_dir():
        raise ValueError(f"{directory}: expected a directory to write to, found the file {nearest}")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ValueError(
            f"{directory}: expected a directory to write to, found no permission to write in "
            f"{nearest}"
        )
