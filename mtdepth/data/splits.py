"""Split files in monodepth2's format: `<drive folder> <frame> <l|r>` a line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from mtdepth.config import DataConfig
from mtdepth.metrics.names import Split

SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, order=True)
class Frame:
    """One image of a drive."""

    drive: str
    """`<date>/<date>_drive_NNNN_sync`."""
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


def split_file(config: DataConfig, root: Path, split: Split) -> Path:
    """Where the list of a split lies.

    Raises:
        ValueError: there is no such file.
    """
    for directory in (root / "splits" / config.split, Path(config.split)):
        path = directory / f"{split}_files.txt"
        if path.is_file():
            return path
    raise ValueError(
        f"data.split: expected {split}_files.txt in {root / 'splits' / config.split} or in "
        f"{config.split}, found neither"
    )


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
    raise ValueError(
        f"{path}:{number}: expected '<date>/<drive folder> <frame> <l|r>', found {line.strip()!r}"
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
