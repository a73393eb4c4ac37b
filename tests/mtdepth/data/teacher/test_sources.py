"""Pairs of images and maps, in KITTI raw's layout and in Cityscapes'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtdepth.config import DataConfig
from mtdepth.data.teacher.config import SourceConfig
from mtdepth.data.teacher.sources import Pair, list_pairs
from tests.mtdepth.data.teacher.toys import drive_name, toy_street


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((2, 4), np.uint16)).save(path)
    return path


def test_kitti_raw_is_read_by_its_lists(tmp_path: Path) -> None:
    source = toy_street(tmp_path, train=2, val=1, num_frames=2)
    folders = [tmp_path / drive_name(number) for number in (0, 0, 1, 1)]
    assert list_pairs(source, "train") == [
        Pair(
            folder / "image_02" / "data" / f"000000000{frame}.png",
            folder / "instance_02" / "data" / f"000000000{frame}.png",
        )
        for folder, frame in zip(folders, (0, 1, 0, 1), strict=True)
    ]
    assert len(list_pairs(source, "val")) == 2


def test_frames_without_a_map_are_left_out_and_without_an_image_told(tmp_path: Path) -> None:
    source = toy_street(tmp_path, train=1, val=1, num_frames=3)
    first, second, third = list_pairs(source, "train")
    second.instances.unlink()
    assert list_pairs(source, "train") == [first, third]
    first.image.unlink()
    with pytest.raises(ValueError, match=r"0000000000.png: expected an image, found none"):
        list_pairs(source, "train")
    for pair in (first, third):
        pair.instances.unlink()
    with pytest.raises(ValueError, match=r"expected instance maps .* the train list of 'toy'"):
        list_pairs(source, "train")


def test_driveworld_is_a_data_set_like_any_other(tiny_data: DataConfig) -> None:
    assert tiny_data.root is not None
    source = SourceConfig(name="kitti", root=tiny_data.root, split="driveworld")
    pairs = list_pairs(source, "train")
    assert len(pairs) == 9
    assert all(pair.image.is_file() and pair.instances.is_file() for pair in pairs)


def test_cityscapes_is_read_by_its_annotated_frames(tmp_path: Path) -> None:
    names = ["train/aachen/aachen_000000_000019", "train/bochum/bochum_000000_000313"]
    maps = [write(tmp_path / "gtFine" / f"{name}_gtFine_instanceIds.png") for name in names]
    write(tmp_path / "gtFine" / f"{names[0]}_gtFine_labelIds.png")
    write(tmp_path / "gtFine/val/lindau/lindau_000000_000019_gtFine_instanceIds.png")
    images = [
        write(tmp_path / kind / f"{name}_leftImg8bit.png")
        for kind, name in zip(("leftImg8bit", "leftImg8bit_sequence"), names, strict=True)
    ]
    write(tmp_path / "leftImg8bit_sequence/train/aachen/aachen_000000_000020_leftImg8bit.png")
    source = SourceConfig(name="cityscapes", root=tmp_path)
    assert list_pairs(source, "train") == [Pair(images[0], maps[0]), Pair(images[1], maps[1])]
    with pytest.raises(ValueError, match=r"lindau.*expected its image at .*leftImg8bit/val/lindau"):
        list_pairs(source, "val")


@pytest.mark.parametrize("name", ["kitti", "cityscapes"])
def test_missing_data_is_told(name: str, tmp_path: Path) -> None:
    told = SourceConfig.model_validate({"name": name})
    with pytest.raises(ValueError, match=f"--root: expected the directory of {name}, found none"):
        list_pairs(told, "train")
    nowhere = told.model_copy(update={"root": tmp_path / "nowhere"})
    with pytest.raises(ValueError, match=r"expected .*nowhere"):
        list_pairs(nowhere, "train")
