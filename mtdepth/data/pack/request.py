"""What a pack is to be made of."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from mtdepth.config import DataConfig
from mtdepth.data.pack.digests import digest
from mtdepth.data.pack.entries import Codec, PackSettings
from mtdepth.data.pack.plan import Plan, make_plan
from mtdepth.data.pack.shards import ShardJob, most_frames, what_lies_there
from mtdepth.data.reader import Reader
from mtdepth.data.splits import SPLITS


@dataclass(frozen=True, kw_only=True)
class Request:
    """A pack to be made."""

    out: Path
    """Where."""
    config: DataConfig
    """Of the raw files; its size is the pack's."""
    settings: PackSettings
    plan: Plan
    arguments: tuple[str, ...]
    """Of the command line, but for where."""
    num_workers: int = 1
    skip_broken: bool = False
    """Whether frames that can't be read are left out, with their samples."""
    most_frames: int | None = None
    """Frames in a file, at most; None for what suits their size."""

    @property
    def digest(self) -> str:
        """Of what it asks for: what is there already may be of another request."""
        lists = {split: list(map(str, self.plan.lists[split])) for split in SPLITS}
        frames = list(map(str, self.plan.frames))
        told = [self.settings.model_dump(), lists, frames, self._step]
        return digest(json.dumps(told).encode())

    @property
    def _step(self) -> int:
        """Frames in a file: all files but the last have as many."""
        most = self.most_frames or most_frames(self.settings.height, self.settings.width)
        num_files = max(1, math.ceil(len(self.plan.frames) / most))
        return max(1, math.ceil(len(self.plan.frames) / num_files))

    def jobs(self, reader: Reader) -> list[ShardJob]:
        """A file each."""
        frames, judged = self.plan.frames, self.plan.judged
        parts = [frames[i : i + self._step] for i in range(0, len(frames), self._step)]
        return [
            ShardJob(
                path=self.out / f"frames-{number:05d}.arrow",
                config=self.config,
                settings=self.settings,
                frames=part,
                judged=judged.intersection(part),
                beside=tuple(what_lies_there(reader, frame) for frame in part),
                skip_broken=self.skip_broken,
            )
            for number, part in enumerate(parts)
        ]


def make_request(
    config: DataConfig,
    reader: Reader,
    out: Path,
    codec: Codec = "raw",
    *,
    num_workers: int = 1,
    skip_broken: bool = False,
) -> Request:
    """Looks up what there is of the lists, and asks for a pack of it.

    Args:
        config: of the raw files, and the pack's size.
        reader: of them.
        out: where the pack is to lie.
        codec: how frames are kept.
        num_workers: processes.
        skip_broken: whether frames that can't be read are left out.

    Raises:
        ValueError: a list is missing or broken.
    """
    settings = PackSettings(
        name=config.name,
        world=config.driveworld.fingerprint() if config.name == "driveworld" else None,
        split=Path(config.split).name,
        height=config.height,
        width=config.width,
        codec=codec,
    )
    size = f"{config.width}x{config.height}"
    arguments = (config.name, "--root", str(reader.root.resolve()), "--split", config.split)
    return Request(
        out=out,
        config=config,
        settings=settings,
        plan=make_plan(config, reader),
        arguments=(*arguments, "--size", size, "--codec", codec),
        num_workers=num_workers,
        skip_broken=skip_broken,
    )
