"""What of a pack's damage is found without reading it."""

from __future__ import annotations

from pathlib import Path

from mtdepth.data.pack.digests import digest
from mtdepth.data.pack.entries import ShardEntry
from mtdepth.data.pack.manifest import Manifest


def shallow_problems(root: Path, manifest: Manifest) -> list[str]:
    """What can be told in an instant: lists, and files that are missing or of another size."""
    problems: list[str] = []
    for split, told in manifest.splits.items():
        path = root / "splits" / manifest.settings.split / f"{split}_files.txt"
        if not path.is_file():
            problems.append(f"{path}: expected the list of a split, found none")
        elif digest(path.read_bytes()) != told.digest:
            problems.append(f"{path}: expected the list as it was packed, found another")
    for entry in manifest.shards:
        problems += size_problems(root / entry.file, entry)
    return problems


def size_problems(path: Path, entry: ShardEntry) -> list[str]:
    """Whether a file is missing, or of another size."""
    if not path.is_file():
        return [f"{path}: expected a file of the pack, found none"]
    size = path.stat().st_size
    if size != entry.num_bytes:
        return [f"{path}: expected {entry.num_bytes} bytes, found {size}"]
    return []
