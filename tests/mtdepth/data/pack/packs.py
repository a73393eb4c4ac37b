"""Packs as tests make them: of small files, so that there are several."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mtdepth.config import DataConfig
from mtdepth.data.pack.entries import Codec
from mtdepth.data.pack.manifest import Manifest
from mtdepth.data.pack.request import Request, make_request
from mtdepth.data.pack.write import make_pack
from mtdepth.data.reader import open_reader

MOST_FRAMES = 8
DRIVE = "2026_01_01/2026_01_01_drive_{:04d}_sync"
TRAIN, VAL, TEST = DRIVE.format(0), DRIVE.format(3), DRIVE.format(5)


def request(
    config: DataConfig,
    out: Path,
    codec: Codec = "raw",
    *,
    skip_broken: bool = False,
    num_workers: int = 1,
    most_frames: int = MOST_FRAMES,
) -> Request:
    assert config.root
    asked = make_request(
        config,
        open_reader(config, config.root),
        out,
        codec,
        num_workers=num_workers,
        skip_broken=skip_broken,
    )
    return replace(asked, most_frames=most_frames)


def make(asked: Request) -> Manifest:
    assert asked.config.root
    return make_pack(asked, open_reader(asked.config, asked.config.root), lambda result: None)


def few(kitti: DataConfig, folder: Path) -> DataConfig:
    """Four training and two validation frames of the real sample, and its test frames."""
    assert kitti.root
    folder.mkdir()
    for part, count in (("train", 4), ("val", 2), ("test", 10)):
        lines = (kitti.root / f"splits/sample/{part}_files.txt").read_text().splitlines()
        (folder / f"{part}_files.txt").write_text("\n".join(lines[:count]))
    return kitti.model_copy(update={"split": str(folder)})


def at(config: DataConfig, out: Path) -> DataConfig:
    """The same data, from a pack."""
    return config.model_copy(update={"root": out, "split": Path(config.split).name})


def image(config: DataConfig, drive: str, index: int) -> Path:
    assert config.root
    return config.root / drive / f"image_02/data/{index:010d}.png"
