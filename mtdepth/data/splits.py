"""Split files in monodepth2's format: `<drive folder> <frame> <l|r>` a line.

Its odometry split names a sequence by its number alone: `9` is `sequences/09`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from mtdepth.config import DataConfig
from mtdepth.data.by_drive import SUFFIX, validation_drives
from mtdepth.data.shut import refuse_if_shut
from mtdepth.metrics.names import Split

SPLITS: tuple[Split, ...] = get_args(Split)
TESTED_ON = {"eigen_zhou": "eigen", "eigen_full": "eigen"}
"""Splits that are published without a test list, and the one whose list is meant."""
CITYSCAPES = "cityscapes"
"""A split that needs no lists."""


@dataclass(frozen=True, order=True)
class Frame:
    """One image of a drive."""

    drive: str
    """`<date>/<date>_drive_NNNN_sync`; of odometry, `sequences/NN`; of Cityscapes,
    `<split>/<city>/<city>_<sequence>`."""
    index: int
    """Number of the frame in its drive."""
    side: Literal["l", "r"] = "l"
    """Left (`image_02`) or right (`image_03`) colour camera."""

    @property
    def camera(self) -> str:
        """KITTI's number of the camera."""
        return "02" if self.side == "l" else "03"

    def shifted(self, step: int) -> Frame:
        """The frame so many steps later in the same drive."""
        return replace(self, index=self.index + step)

    def __str__(self) -> str:
        return f"{self.drive} {self.index} {self.side}"


@dataclass(frozen=True, kw_only=True)
class SplitList:
    """The frames of a split, in order."""

    frames: tuple[Frame, ...]
    places: tuple[str, ...]
    """Where each is listed: `<file>:<line>`."""
    content: bytes
    """What a fingerprint of the list goes by."""


def list_split(config: DataConfig, root: Path, split: Split) -> SplitList:
    """The frames of a split, from its file or, after `_by_drive`, divided anew.

    `cityscapes` needs no file: it is Cityscapes' annotated frames, divided by city.

    Raises:
        ValueError: there is no such list, or it is broken.
        SplitIsShut: it is the test split's, and something is being trained.
    """
    refuse_if_shut(split)
    if config.split == CITYSCAPES and not any(_find(CITYSCAPES, root, x) for x in SPLITS):
        from mtdepth.data.by_city import cityscapes_frames  # it makes lists of this kind

        return cityscapes_frames(root, split)
    if not config.split.endswith(SUFFIX) or _find(config.split, root, split):
        paths = split_files(config, root, split)
        return _listed(paths, b"".join(path.read_bytes() for path in paths))
    published = config.model_copy(update={"split": config.split.removesuffix(SUFFIX)})
    if split == "test":
        return list_split(published, root, "test")
    parts: tuple[Split, ...] = ("train", "val")
    pool = _listed([path for part in parts for path in split_files(published, root, part)])
    held_out = validation_drives(frame.drive for frame in pool.frames)
    chosen = [i for i, f in enumerate(pool.frames) if (f.drive in held_out) == (split == "val")]
    frames = tuple(pool.frames[i] for i in chosen)
    return SplitList(
        frames=frames,
        places=tuple(pool.places[i] for i in chosen),
        content="".join(f"{frame}\n" for frame in frames).encode(),
    )


def _listed(paths: list[Path], content: bytes = b"") -> SplitList:
    listed = [(f"{path}:{number}", frame) for path in paths for number, frame in read_split(path)]
    places, frames = zip(*listed, strict=True)
    return SplitList(frames=frames, places=places, content=content)


def split_files(config: DataConfig, root: Path, split: Split) -> list[Path]:
    """Where the list of a split lies: `{split}_files.txt`, or one for each sequence, as odometry's
    `test_files_09.txt` and `test_files_10.txt`.

    Raises:
        ValueError: there is no such file.
    """
    found = _find(config.split, root, split)
    if not found and split == "test" and config.split in TESTED_ON:
        found = _find(TESTED_ON[config.split], root, split)
    if found:
        return found
    published = "; KITTI's lists are in monodepth2's repository, folder splits"
    raise ValueError(
        f"data.split: expected {split}_files.txt in {root / 'splits' / config.split} or in "
        f"{config.split}, found neither{published if config.name.startswith('kitti') else ''}"
    )


def _find(name: str, root: Path, split: Split) -> list[Path]:
    for directory in (root / "splits" / name, Path(name)):
        for pattern in (f"{split}_files.txt", f"{split}_files_[0-9][0-9].txt"):
            if found := sorted(path for path in directory.glob(pattern) if path.is_file()):
                return found
    return []


def read_split(path: Path) -> list[tuple[int, Frame]]:
    """The frames of a split file, each with its line number; empty lines are skipped.

    Raises:
        ValueError: a line is not of the format, or no line is left.
    """
    lines = enumerate(path.read_text().splitlines(), start=1)
    frames = [(number, _parse(line, path, number)) for number, line in lines if line.strip()]
    if not frames:
        raise ValueError(f"{path}: expected at least one frame, found none")
    return frames


def _parse(line: str, path: Path, number: int) -> Frame:
    match line.split():
        case [drive, index, ("l" | "r") as side] if index.isdecimal() and "/" in drive:
            return Frame(drive, int(index), side)
        case [sequence, index, ("l" | "r") as side] if index.isdecimal() and sequence.isdecimal():
            return Frame(f"sequences/{int(sequence):02d}", int(index), side)
    raise ValueError(
        f"{path}:{number}: expected '<date>/<drive folder> <frame> <l|r>' or "
        f"'<sequence> <frame> <l|r>', found {line.strip()!r}"
    )


def runs(frames: Iterable[Frame]) -> list[list[Frame]]:
    """Groups frames into runs of consecutive ones, each of one drive and side."""
    grouped: list[list[Frame]] = []
    for frame in sorted(set(frames), key=lambda f: (f.drive, f.side, f.index)):
        if grouped and grouped[-1][-1].shifted(1) == frame:
            grouped[-1].append(frame)
        else:
            grouped.append([frame])
    return grouped
