"""The Arrow files of a pack: one record batch each, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mtdepth.config import DataConfig
from mtdepth.data.pack.arrow import damage, digests_of, open_shard, request_of, write_shard
from mtdepth.data.pack.digests import digest, file_digest
from mtdepth.data.pack.entries import PackSettings, ShardEntry
from mtdepth.data.pack.manifest import VERSION
from mtdepth.data.pack.rows import Row, make_row
from mtdepth.data.reader import Reader, open_reader
from mtdepth.data.source import RawSource
from mtdepth.data.splits import Frame

MAX_FRAMES, MAX_BYTES = 256, 2**27
"""A file has no more frames, and no more bytes of pixels: some seconds of work."""


@dataclass(frozen=True, kw_only=True)
class ShardJob:
    """One file to be written."""

    path: Path
    config: DataConfig
    """Of the raw files; its size is the pack's."""
    settings: PackSettings
    frames: tuple[Frame, ...]
    judged: frozenset[Frame]
    """Those of them whose truth is kept."""
    beside: tuple[str, ...]
    """What lies on disk of each frame, see `what_lies_there`."""
    skip_broken: bool
    """Whether a frame that can't be read is left out; else there is no file if one can't."""

    @cached_property
    def request(self) -> str:
        """A digest of all that decides what the file holds."""
        told = [VERSION, self.settings.model_dump(), list(map(str, self.frames)), self.beside]
        told.append(sorted(map(str, self.judged)))
        return digest(json.dumps(told).encode())


@dataclass(frozen=True, kw_only=True)
class ShardResult:
    """What came of it."""

    file: str
    """Its name."""
    entry: ShardEntry | None
    """None if frames are broken and not to be left out."""
    broken: Mapping[Frame, str]
    """What is broken of which frame."""
    num_frames: int
    """Frames that were asked for."""
    kept: bool
    """Whether the file was already there."""


def most_frames(height: int, width: int) -> int:
    """How many frames of a size a file has, at most."""
    return max(1, min(MAX_FRAMES, MAX_BYTES // (3 * height * width)))


def what_lies_there(reader: Reader, frame: Frame) -> str:
    """Tells, without reading much, whether other files lie there than before."""
    path = reader.image_path(frame)
    size = path.stat().st_size if path else None
    return f"{size} {reader.has_instances(frame):d} {reader.has_pose(frame):d}"


def make_shard(job: ShardJob) -> ShardResult:
    """Writes a file, unless a whole one of the same request is there."""
    if _is_whole(job.path, job.request):
        return _result(job, {}, kept=True)
    assert isinstance(job.config.root, Path)
    source = RawSource(
        job.config.model_copy(update={"cache_gib": 0.0}), open_reader(job.config, job.config.root)
    )
    rows: list[Row] = []
    broken: dict[Frame, str] = {}
    for frame in job.frames:
        try:
            rows.append(make_row(frame, source, job.settings, judged=frame in job.judged))
        except ValueError as error:
            broken[frame] = " ".join(str(error).split())
    if broken and not job.skip_broken:
        return ShardResult(
            file=job.path.name,
            entry=None,
            broken=broken,
            num_frames=len(job.frames),
            kept=False,
        )
    # a file that lacks frames is not taken for whole when it is found again
    write_shard(job.path, rows, job.settings, "" if broken else job.request)
    return _result(job, broken, kept=False)


def _result(job: ShardJob, broken: Mapping[Frame, str], *, kept: bool) -> ShardResult:
    batch = open_shard(job.path)
    entry = ShardEntry(
        file=job.path.name,
        num_frames=batch.num_rows,
        num_bytes=job.path.stat().st_size,
        digest=digest(digests_of(batch)),
        checksum=file_digest(job.path),
        request=job.request,
    )
    return ShardResult(
        file=job.path.name, entry=entry, broken=broken, num_frames=len(job.frames), kept=kept
    )


def _is_whole(path: Path, request: str) -> bool:
    """Whether a file is there, of this request, and every cell as it was written."""
    if not path.is_file():
        return False
    try:
        batch = open_shard(path)
    except ValueError:
        return False
    return request_of(batch) == request and not damage(batch)
