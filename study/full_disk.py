"""A full disk ends a study in one line, and loses nothing."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CODES = (errno.ENOSPC, errno.EDQUOT)
_MIB = 2**20


class DiskFull(RuntimeError):
    """There is no room for what a study has to write."""


@contextmanager
def full_disk_told(directory: Path) -> Iterator[None]:
    """Turns whatever a full disk makes fail into a line about it.

    Raises:
        DiskFull: which disk is full, and how to go on with the study in the directory.
    """
    try:
        yield
    except Exception as error:
        if why := no_room(error, directory):
            go_on = f"python -m study.run --resume {shlex.quote(str(directory))}"
            raise DiskFull(
                f"{why}. No epoch that was reported is lost; make room, then go on: {go_on}"
            ) from error
        raise


def no_room(error: BaseException, directory: Path) -> str | None:
    """Which disk is full, where that is what an error, or one that led to it, is about.

    Args:
        error: an exception, from whatever library.
        directory: of the study.
    """
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, DiskFull):
            return str(cause)
    for cause in chain:
        for code in _CODES:  # not all libraries pass on the number
            if getattr(cause, "errno", None) == code or os.strerror(code) in str(cause):
                return f"the disk of {_fullest(directory)} ({os.strerror(code)})"
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _fullest(directory: Path) -> str:
    """Of the places that a study writes to, the one with the least room, and how much that is."""
    places = [path for path in (directory, Path(tempfile.gettempdir())) if path.is_dir()]
    free, place = min((shutil.disk_usage(path).free, path) for path in places or [Path.cwd()])
    return f"{place} is full: {free / _MIB:.1f} MiB free"
