"""Where the images and the instance maps of a data set are, pair by pair."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mtdepth.config import DataConfig
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.root import Progress, data_root
from mtdepth.data.splits import list_split
from mtdepth.data.teacher.config import SourceConfig

LearningSplit = Literal["train", "val"]
MAP_SUFFIX, IMAGE_SUFFIX = "_gtFine_instanceIds.png", "_leftImg8bit.png"
IMAGE_FOLDERS = ("leftImg8bit", "leftImg8bit_sequence")


@dataclass(frozen=True, order=True)
class Pair:
    """An image and its instance map."""

    image: Path
    instances: Path


def list_pairs(
    config: SourceConfig, split: LearningSplit, on_progress: Progress | None = None
) -> list[Pair]:
    """The pairs of a split, in order. Driveworld is rendered when it is missing.

    Args:
        config: names the data.
        split: whose.
        on_progress: called with drives rendered and drives in all.

    Raises:
        ValueError: the data is missing, or no image of the split has an instance map.
    """
    if config.root is None and config.name != "driveworld":
        raise ValueError(f"--root: expected the directory of {config.name}, found none")
    if config.name == "cityscapes":
        assert config.root is not None
        return _cityscapes(config.root, split)
    data = DataConfig(name=config.name, root=config.root, split=config.split)
    reader = KittiRaw(data_root(data, on_progress))
    pairs = []
    for frame in list_split(data, reader.root, split).frames:
        image = reader.image_path(frame)
        if not reader.has_instances(frame):
            continue
        if image is None:
            raise ValueError(f"{reader.expected_path(frame)}: expected an image, found none")
        folder = f"instance_{frame.camera}"
        instances = image.parents[1].with_name(folder) / "data" / f"{image.stem}.png"
        pairs.append(Pair(image, instances))
    if not pairs:
        raise ValueError(
            f"{reader.root}: expected instance maps (instance_02/data/*.png) of frames of the "
            f"{split} list of {config.split!r}, found none"
        )
    return pairs


def _cityscapes(root: Path, split: str) -> list[Pair]:
    """`gtFine/<split>/<city>/<city>_<seq>_<frame>_gtFine_instanceIds.png`, and images so named."""
    maps = sorted((root / "gtFine" / split).glob(f"*/*{MAP_SUFFIX}"))
    if not maps:
        raise ValueError(
            f"--root: expected {root / 'gtFine' / split}/<city>/*{MAP_SUFFIX}, found none"
        )
    return [Pair(_cityscapes_image(root, split, path), path) for path in maps]


def _cityscapes_image(root: Path, split: str, instances: Path) -> Path:
    name = instances.name.removesuffix(MAP_SUFFIX) + IMAGE_SUFFIX
    places = [root / kind / split / instances.parent.name / name for kind in IMAGE_FOLDERS]
    for place in places:
        if place.is_file():
            return place
    raise ValueError(f"{instances}: expected its image at {places[0]} or {places[1]}, found none")
