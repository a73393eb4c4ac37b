"""Reads a whole pack, and finds every byte that is not what was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from mtdepth.data.pack.arrow import damage, digests_of, open_shard
from mtdepth.data.pack.digests import digest, file_digest
from mtdepth.data.pack.entries import ShardEntry
from mtdepth.data.pack.manifest import Manifest, fingerprint, read_manifest
from mtdepth.data.pack.pool import run_all
from mtdepth.data.pack.shallow import shallow_problems, size_problems

MOST = 20
"""So many cells of a file are named, at most."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong with a file, if anything."""

    num_frames: int
    """How many frames it should have."""
    problems: tuple[str, ...]
    """A line each."""


def verify(root: Path, num_workers: int, hear: Callable[[Finding], None]) -> list[str]:
    """Looks a pack over from its first to its last byte.

    Args:
        root: the pack.
        num_workers: processes.
        hear: told of each file.

    Returns:
        A line for each thing that is wrong.

    Raises:
        ValueError: there is no pack, its manifest is damaged, or it is of another version.
    """
    manifest = read_manifest(root)
    problems = shallow_problems(root, manifest)
    jobs = [(root / entry.file, entry) for entry in manifest.shards]
    for finding in run_all(_look_over, jobs, num_workers):
        hear(finding)
        problems += finding.problems
    return sorted(set(problems)) or _fingerprint_problems(root, manifest)


def _fingerprint_problems(root: Path, manifest: Manifest) -> list[str]:
    rows = (digests_of(open_shard(root / entry.file)) for entry in manifest.shards)
    found = fingerprint(manifest.settings, manifest.splits, rows)
    if found == manifest.fingerprint:
        return []
    return [f"{root}: expected the fingerprint {manifest.fingerprint}, found {found}"]


def _look_over(job: tuple[Path, ShardEntry]) -> Finding:
    path, entry = job
    problems = size_problems(path, entry) or _content_problems(path, entry)
    return Finding(num_frames=entry.num_frames, problems=tuple(problems))


def _content_problems(path: Path, entry: ShardEntry) -> list[str]:
    try:
        batch = open_shard(path)
    except ValueError as error:
        return [str(error)]
    cells = damage(batch)
    problems = [f"{path}: {_place(batch, row)}, column {name}: damaged" for row, name in cells]
    if len(problems) > MOST:
        problems[MOST:] = [f"{path}: {len(problems) - MOST} more cells are damaged"]
    if problems:
        return problems
    if digest(digests_of(batch)) != entry.digest:
        return [f"{path}: expected the content that was packed, found another"]
    if file_digest(path) != entry.checksum:
        return [f"{path}: expected the bytes that were written, found others between the cells"]
    return []


def _place(batch: pa.RecordBatch, row: int) -> str:
    if row < 0:
        return "all frames"
    drive, index, side = (batch.column(name)[row].as_py() for name in ("drive", "index", "side"))
    return f"row {row} (frame {drive} {index} {side})"
