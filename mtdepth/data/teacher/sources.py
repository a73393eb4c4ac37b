"""Where the images and the instance maps of a data set are, pair by pair."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mtdepth.config import DataConfig
from mtdepth.data.by_city import ANNOTATIONS
from mtdepth.data.cityscapes import Cityscapes
from mtdepth.data.pack.manifest import is_pack
from mtdepth.data.reader import Reader, open_reader
from mtdepth.data.root import Progress, data_root
from mtdepth.data.splits import Frame, list_split
from mtdepth.data.teacher.config import SourceConfig
from mtdepth.store_url import StoreUrl

LearningSplit = Literal["train", "val"]


@dataclass(frozen=True, order=True)
class Pair:
    """An image and its instance map."""

    image: Path
    instances: Path


def list_pairs(
    config: SourceConfig, split: LearningSplit, on_progress: Progress | None = None
) -> list[Pair]:
    """The pairs of a split, in order. Driveworld is rendered when it is missing.

    Frames without an instance map are left out.

    Args:
        config: names the data.
        split: whose.
        on_progress: called with drives rendered and drives in all.

    Raises:
        ValueError: the data is missing, or no image of the split has an instance map.
    """
    data = DataConfig(name=config.name, root=config.root, split=config.split)
    root = _raw_root(data, on_progress)
    reader = open_reader(data, root)
    frames = list_split(data, root, split).frames
    pairs = [_pair(reader, frame) for frame in frames if reader.has_instances(frame)]
    if not pairs:
        raise ValueError(
            f"{root}: expected instance maps (KITTI raw: instance_02/data/*.png, Cityscapes: "
            f"gtFine/*/*/*_{ANNOTATIONS['gtFine']}) of frames of the {split} list of "
            f"{config.split!r}, found none"
        )
    return pairs


def _raw_root(data: DataConfig, on_progress: Progress | None) -> Path:
    if isinstance(data.root, StoreUrl) or (data.root is not None and is_pack(data.root)):
        raise ValueError(f"--root: expected raw files, found a pack at {data.root}")
    if data.name != "driveworld" and (data.root is None or not data.root.is_dir()):
        found = "none" if data.root is None else f"nothing at {data.root}"
        raise ValueError(f"--root: expected the directory of {data.name}, found {found}")
    return data_root(data, on_progress)


def _pair(reader: Reader, frame: Frame) -> Pair:
    image = reader.image_path(frame)
    if image is None:
        raise ValueError(f"{reader.expected_path(frame)}: expected an image, found none")
    if isinstance(reader, Cityscapes):
        name = f"{frame.drive}_{frame.index:06d}_{ANNOTATIONS['gtFine']}"
        return Pair(image, reader.root / "gtFine" / name)
    folder = image.parents[1].with_name(f"instance_{frame.camera}")
    return Pair(image, folder / "data" / f"{image.stem}.png")
