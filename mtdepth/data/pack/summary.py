"""What is told of a pack: while it is made, and of the whole."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from mtdepth.data.pack.manifest import Manifest
from mtdepth.data.pack.shards import ShardResult
from mtdepth.data.pack.verify import Finding

MOST_BROKEN = 20
"""So many broken frames are named as they are found."""


class Progress:
    """Tells how far the work is, and how long it will take, in one line that is written anew.

    Args:
        total: frames.
    """

    def __init__(self, total: int) -> None:
        self._total, self._done, self._fresh, self._broken = total, 0, 0, 0
        self._started = time.perf_counter()

    def hear(self, result: ShardResult) -> None:
        """Of a file that is there."""
        for what in list(result.broken.values())[: MOST_BROKEN - self._broken]:
            print(f"\rbroken: {what}", file=sys.stderr)
            self._broken += 1
        self._tell(result.num_frames, fresh=not result.kept)

    def hear_finding(self, finding: Finding) -> None:
        """Of a file that was looked over."""
        self._tell(finding.num_frames, fresh=True)

    def _tell(self, num_frames: int, *, fresh: bool) -> None:
        self._done += num_frames
        self._fresh += num_frames if fresh else 0
        left = self._total - self._done
        line = f"{self._done}/{self._total} frames"
        if left and self._fresh:
            left_s = (time.perf_counter() - self._started) / self._fresh * left
            line += f", {left_s // 60:.0f}:{left_s % 60:02.0f} left"
        end = "" if left else "\n"
        print(f"\r{line:<40}", end=end, file=sys.stderr, flush=True)


def describe(root: Path, manifest: Manifest) -> str:
    """What a pack holds, and how it is read, in some lines."""
    told = manifest.settings
    gigabytes = sum(shard.num_bytes for shard in manifest.shards) / 1e9
    counts = ", ".join(f"{entry.num_samples} {name}" for name, entry in manifest.splits.items())
    lines = [
        f"{root}: {manifest.num_frames} frames of {told.name} at {told.width}x{told.height} as "
        f"{told.codec}, {gigabytes:.3g} GB, fingerprint {manifest.fingerprint}",
        f"split {told.split}: {counts} samples",
        f"read with data.name {told.name}, data.root {root}, data.split {told.split}, "
        f"data.width {told.width}, data.height {told.height}",
    ]
    return "\n".join(lines)
