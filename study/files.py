"""Files, and lines of files, that are either whole or absent."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: str | bytes) -> None:
    """Writes a file under a temporary name beside it, and renames it into place.

    A reader, or a run that goes on after a crash, sees the old content or the new, never a part.

    Args:
        path: the file; its directory is made when it is missing.
        data: text is written as UTF-8.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = data.encode() if isinstance(data, str) else data
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def append_durably(path: Path, line: str) -> None:
    """Puts a line at the end of a file, and forces it to disk.

    Where that fails, as on a full disk, the file is what it was.

    Args:
        path: the file; it is made when it is missing.
        line: without the line's end; written as UTF-8.
    """
    rest = f"{line}\n".encode()
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        num_bytes = os.fstat(handle).st_size
        try:
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        except BaseException:
            os.ftruncate(handle, num_bytes)
            raise
    finally:
        os.close(handle)


def sizes_below(directory: Path) -> dict[str, int]:
    """Bytes of all files in a directory and below, by their paths in it."""
    return {
        path.relative_to(directory).as_posix(): path.stat().st_size
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
