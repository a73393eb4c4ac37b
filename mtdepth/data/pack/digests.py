"""Digests of what a pack holds: of its content, not of how Arrow lays it out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

SIZE = 16
"""Bytes of a digest (BLAKE2b)."""

Cell: TypeAlias = bool | int | str | bytes | list[int] | list[float] | Mapping[str, "Cell"] | None
"""What pyarrow gives for a cell, and takes."""


def digest(content: bytes) -> str:
    """Of bytes, in hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=SIZE).hexdigest()


def file_digest(path: Path) -> str:
    """Of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=SIZE)).hexdigest()


def cell_digest(cell: Cell) -> bytes:
    """Of a cell: any other value, or none, has another digest."""
    found = hashlib.blake2b(digest_size=SIZE)
    if isinstance(cell, bytes):
        found.update(b"bytes ")
        found.update(cell)
    elif isinstance(cell, Mapping):
        for name, part in cell.items():
            found.update(name.encode() + b" " + cell_digest(part))
    else:
        found.update(repr(cell).encode())
    return found.digest()
