"""Cityscapes' annotated frames, divided by city.

The annotations of its published test split are withheld. Tested on are therefore the cities of
its validation split, and those of its training split are divided into training and validation.
"""

from __future__ import annotations

import re
from pathlib import Path

from mtdepth.data.by_drive import validation_drives
from mtdepth.data.splits import Frame, SplitList
from mtdepth.metrics.names import Split

ANNOTATIONS = {"camera": "camera.json", "gtFine": "gtFine_instanceIds.png"}
"""Folders of what annotated frames alone have, and how the names of the files end."""


def cityscapes_frames(root: Path, split: Split) -> SplitList:
    """The annotated frames of a split, in order, each listed where its annotation lies.

    Which cities validate follows from `mtdepth.data.by_drive.validation_drives`, and is the same
    wherever the same cities lie.

    Raises:
        ValueError: there is none, or every city has too many of them to validate on.
    """
    found = _annotated(root, "val" if split == "test" else "train")
    if split != "test":
        held_out = validation_drives(map(_city, found))
        found = {
            f: place for f, place in found.items() if (_city(f) in held_out) == (split == "val")
        }
    return SplitList(
        frames=tuple(found),
        places=tuple(map(str, found.values())),
        content="".join(f"{frame}\n" for frame in found).encode(),
    )


def _annotated(root: Path, published: str) -> dict[Frame, Path]:
    """The frames of a published split, in order, and a file of each."""
    found: dict[Frame, Path] = {}
    for folder, ending in ANNOTATIONS.items():
        for path in (root / folder / published).glob(f"*/*_{ending}"):
            if match := re.fullmatch(rf"(\w+_\d{{6}})_(\d{{6}})_{re.escape(ending)}", path.name):
                drive = f"{published}/{path.parent.name}/{match[1]}"
                found.setdefault(Frame(drive, int(match[2])), path)
    if not found:
        raise ValueError(
            f"data.root: expected Cityscapes, with camera/{published}/<city>/*_camera.json, found "
            f"none in {root}"
        )
    return dict(sorted(found.items()))


def _city(frame: Frame) -> str:
    return Path(frame.drive).parent.name
