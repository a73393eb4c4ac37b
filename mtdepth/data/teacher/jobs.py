"""Which images are labelled, by whom, and where their maps go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from mtdepth.predict import SUFFIXES, find_images

CAMERAS = ("02", "03")
"""KITTI's colour cameras."""


@dataclass(frozen=True)
class Job:
    """One image to label."""

    image: Path
    target: Path
    """Where its map goes."""


Jobs = dict[str, list[Job]]
"""The jobs of each drive or folder, both in order."""


@dataclass(frozen=True)
class Shard:
    """One of several machines that share the work."""

    number: int = 1
    """Counts from 1."""
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`i/n`, with i from 1 to n.

        Raises:
            ValueError: it is anything else.
        """
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if match and 1 <= int(match[1]) <= int(match[2]):
            return cls(int(match[1]), int(match[2]))
        raise ValueError(f"--shard: expected i/n with i from 1 to n, such as 2/4, found {text!r}")

    def take(self, jobs: Mapping[str, list[Job]]) -> Jobs:
        """Every n-th drive in order of name: all shards together take each drive once."""
        return {name: jobs[name] for name in sorted(jobs)[self.number - 1 :: self.of]}


def drive_jobs(root: Path, pattern: str = "*") -> Jobs:
    """The images of both colour cameras of KITTI raw's drives; maps go to `instance_02`, `_03`.

    Args:
        root: the directory that holds `<date>/<date>_drive_NNNN_sync`.
        pattern: of drives' names, with `*` and `?`.

    Raises:
        ValueError: no drive is of that name, or none has images.
    """
    drives = sorted(path for path in root.glob("*/*_drive_*_sync") if path.is_dir())
    if not drives:
        raise ValueError(f"--root: expected {root}/<date>/<date>_drive_NNNN_sync, found none")
    chosen = [drive for drive in drives if fnmatchcase(drive.name, pattern)]
    if not chosen:
        raise ValueError(
            f"--drives: expected a pattern of some of {len(drives)} drives' names, such as "
            f"{drives[0].name!r}, found {pattern!r}"
        )
    jobs = {str(drive.relative_to(root)): _of_drive(drive) for drive in chosen}
    if not any(jobs.values()):
        raise ValueError(f"{chosen[0]}: expected image_02/data with png or jpg images, found none")
    return jobs


def folder_jobs(images: Path, out: Path) -> Jobs:
    """The images at a path, by folder; maps go to `out` under the same path and name.

    Raises:
        ValueError: there is no image, or two would share a map.
    """
    root, found = find_images(images, out)
    jobs: Jobs = {}
    for image in found:
        name = image.relative_to(root)
        target = out / name.with_name(f"{name.stem}.png")
        jobs.setdefault(str(name.parent), []).append(Job(image, target))
    return jobs


def _of_drive(drive: Path) -> list[Job]:
    jobs = []
    for camera in CAMERAS:
        folder = drive / f"instance_{camera}" / "data"
        images = sorted((drive / f"image_{camera}" / "data").glob("*"))
        jobs += [
            Job(image, folder / f"{image.stem}.png")
            for image in images
            if image.suffix in SUFFIXES and not image.name.startswith(".")
        ]
    return jobs
