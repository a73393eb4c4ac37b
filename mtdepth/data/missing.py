"""Which samples of a list have all their images on disk, and what the others lack, by drive."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mtdepth.data.reader import Reader
from mtdepth.data.splits import Frame

SUFFIXES = (".png", ".jpg")
WHERE = {
    "driveworld": "driveworld is rendered where there is none: set data.root to a new directory",
    "kitti": "KITTI's page 'Raw Data' has the drives (synced+rectified data), and monodepth2's "
    "splits/kitti_archives_to_download.txt the names of their archives",
    "kitti-odometry": "KITTI's page 'Visual Odometry / SLAM Evaluation 2012' has the sequences "
    "(color, calibration files, ground truth poses)",
    "cityscapes": "Cityscapes' page 'Download' has leftImg8bit_sequence_trainvaltest",
}
"""Where the images of a data set are to be had. Pages by name: their addresses change."""
Unit = Literal["triplets", "frames"]
_Lack = Literal["folder", "image", "neighbour"]


@dataclass(frozen=True, kw_only=True)
class MissingDrive:
    """A drive of which some samples lack an image."""

    drive: str
    """As in `Frame`."""
    unit: Unit
    """What a sample is: with its neighbours, or without."""
    num_listed: int
    """Its samples in the list."""
    num_without_folder: int
    """Of them, those whose folder of images is not there."""
    num_without_image: int
    """Others whose own image is not there."""
    num_without_neighbour: int
    """Others that lack the frame before or after."""
    first_index: int
    """Where the first sample of them all is in the list."""
    example: str
    """What that one lacks, as a path in the root of the data: an image, or the topmost folder that
    is not there."""

    @property
    def num_samples(self) -> int:
        """How many lack anything."""
        return self.num_without_folder + self.num_without_image + self.num_without_neighbour

    def __str__(self) -> str:
        lacks = {
            "folder": self.num_without_folder,
            "image": self.num_without_image,
            "neighbour": self.num_without_neighbour,
        }
        told = ", ".join(f"{count} without {lack}" for lack, count in lacks.items() if count)
        share = f"{self.num_samples} of {self.num_listed} {self.unit}"
        return f"{self.drive}: {share} incomplete ({told}), first missing: {self.example}"


@dataclass(frozen=True, kw_only=True)
class Presence:
    """A list of samples, divided."""

    complete: tuple[int, ...]
    """Indices of the samples whose images are all there, in order."""
    missing: tuple[MissingDrive, ...]
    """The drives of the others, by name."""


@dataclass(frozen=True, kw_only=True)
class _Gap:
    """A sample that lacks an image."""

    index: int
    image: Frame
    lack: _Lack


def find_missing(reader: Reader, frames: Sequence[Frame], *, neighbours: bool = True) -> Presence:
    """Divides samples into those whose images are all there, and the others by drive.

    Folders are listed, once each: of the 44,562 images of Eigen-Zhou's triplets, none that is
    there is asked for by itself. Whether an image is whole is not looked at.

    Args:
        reader: of the data set.
        frames: the target of each sample.
        neighbours: whether the frames before and after are needed.
    """
    images = _Images(reader)
    gaps = [images.gap(i, frame, neighbours) for i, frame in enumerate(frames)]
    of_drives: dict[str, list[_Gap]] = {}
    for gap in gaps:
        if gap is not None:
            of_drives.setdefault(gap.image.drive, []).append(gap)
    num_listed = Counter(frame.drive for frame in frames)
    missing: list[MissingDrive] = []
    for drive, found in sorted(of_drives.items()):
        num_without = Counter(gap.lack for gap in found)
        missing.append(
            MissingDrive(
                drive=drive,
                unit="triplets" if neighbours else "frames",
                num_listed=num_listed[drive],
                num_without_folder=num_without["folder"],
                num_without_image=num_without["image"],
                num_without_neighbour=num_without["neighbour"],
                first_index=found[0].index,
                example=images.example(found[0].image),
            )
        )
    complete = tuple(i for i, gap in enumerate(gaps) if gap is None)
    return Presence(complete=complete, missing=tuple(missing))


class _Images:
    """Tells which images are there."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._there: dict[Frame, bool] = {}
        self._stems: dict[Path, frozenset[str] | None] = {}

    def gap(self, index: int, frame: Frame, neighbours: bool) -> _Gap | None:
        """What a sample lacks first: its own image comes before its neighbours'."""
        for image in (frame, frame.shifted(-1), frame.shifted(1)) if neighbours else (frame,):
            if not self._has(image):
                lack: _Lack = "image" if image == frame else "neighbour"
                no_folder = self._list(self._reader.expected_path(image).parent) is None
                return _Gap(index=index, image=image, lack="folder" if no_folder else lack)
        return None

    def example(self, image: Frame) -> str:
        """What is not there: the topmost folder, else the image."""
        path = self._reader.expected_path(image)
        while path.parent != self._reader.root and not path.parent.is_dir():
            path = path.parent
        return path.relative_to(self._reader.root).as_posix()

    def _has(self, image: Frame) -> bool:
        if image not in self._there:
            path = self._reader.expected_path(image)
            listed = path.stem in (self._list(path.parent) or ())
            # a reader may know of other places than where it expects an image
            self._there[image] = listed or self._reader.image_path(image) is not None
        return self._there[image]

    def _list(self, folder: Path) -> frozenset[str] | None:
        """Names of a folder's images without suffix; None where there is no such folder."""
        if folder not in self._stems:
            try:
                with os.scandir(folder) as entries:
                    names = [Path(x.name) for x in entries if x.is_file()]
                    self._stems[folder] = frozenset(x.stem for x in names if x.suffix in SUFFIXES)
            except (FileNotFoundError, NotADirectoryError):
                self._stems[folder] = None
        return self._stems[folder]
