"""Whether an error is about a full disk, and which one."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

_CODES = (errno.ENOSPC, errno.EDQUOT)
_MIB = 2**20


def full_disk(errors: Iterable[BaseException], directory: Path) -> str | None:
    """Which disk is full, where that is what any of these errors is about.

    Args:
        errors: from whatever library.
        directory: of the study.
    """
    for error in errors:
        for code in _CODES:  # not all libraries pass on the number
            if getattr(error, "errno", None) == code or os.strerror(code) in str(error):
                return f"the disk of {_fullest(directory)} ({os.strerror(code)})"
    return None


def _fullest(directory: Path) -> str:
    """Of the places that a study writes to, the one with the least room, and how much that is."""
    places = [path for path in (directory, Path(tempfile.gettempdir())) if path.is_dir()]
    free, place = min((shutil.disk_usage(path).free, path) for path in places or [Path.cwd()])
    return f"{place} is full: {free / _MIB:.1f} MiB free"
