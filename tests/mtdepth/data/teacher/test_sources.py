"""Pairs of images and maps, in KITTI raw's layout and in Cityscapes'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtdepth.config import DataConfig
from mtdepth.data.pack.manifest import MANIFEST
from mtdepth.data.splits import Frame
from mtdepth.data.teacher.config import SourceConfig
from mtdepth.data.teacher.examples import read_example
from mtdepth.data.teacher.sources import Pair, list_pairs
from tests.mtdepth.data.cityscapes_files import write_camera, write_image, write_map
from tests.mtdepth.data.teacher.toys import drive_name, toy_street


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


def test_a_right_camera_has_maps_of_its_own(tmp_path: Path) -> None:
    source = toy_street(tmp_path, train=1, val=1, num_frames=2)
    (tmp_path / "splits/toy/train_files.txt").write_text(f"{drive_name(0)} 1 r\n")
    drive = tmp_path / drive_name(0)
    for kind in ("image", "instance"):
        (drive / f"{kind}_02").rename(drive / f"{kind}_03")
    name = "data/0000000001.png"
    expected = Pair(drive / "image_03" / name, drive / "instance_03" / name)
    assert list_pairs(source, "train") == [expected]


def cityscapes(root: Path, *, num_cities: int = 10) -> list[Frame]:
    """An annotated frame in each of some cities, of which one in ten validates."""
    cities = [f"city{number:02d}" for number in range(num_cities)]
    frames = [Frame(f"train/{city}/{city}_000000", 19) for city in cities]
    for frame in frames:
        write_map(root, frame, "gtFine", np.zeros((2, 4), np.uint16))
        write_image(root, frame, np.zeros((2, 4, 3), np.uint8), video="")
    return frames


def test_cityscapes_is_read_by_its_annotated_frames(tmp_path: Path) -> None:
    frames = cityscapes(tmp_path)
    tested = Frame("val/lindau/lindau_000000", 19)
    write_map(tmp_path, tested, "gtFine", np.zeros((2, 4), np.uint16))
    write_camera(tmp_path, Frame("train/city00/city00_000001", 19))  # without a map
    source = SourceConfig(name="cityscapes", root=tmp_path)
    train, val = (list_pairs(source, split) for split in ("train", "val"))  # type: ignore[arg-type]
    assert (len(train), len(val)) == (9, 1)
    assert sorted(train + val) == [
        Pair(
            tmp_path / "leftImg8bit" / f"{frame.drive}_000019_leftImg8bit.png",
            tmp_path / "gtFine" / f"{frame.drive}_000019_gtFine_instanceIds.png",
        )
        for frame in frames
    ]
    assert read_example(train[0]).pixels.shape == (3, 2, 4)  # whole: the bonnet is background


def test_an_annotation_without_its_image_is_told(tmp_path: Path) -> None:
    first = cityscapes(tmp_path)[0]
    image = tmp_path / "leftImg8bit" / f"{first.drive}_000019_leftImg8bit.png"
    image.unlink()
    source = SourceConfig(name="cityscapes", root=tmp_path)
    with pytest.raises(ValueError, match=r"city00_000000_000019_leftImg8bit.png: expected an im"):
        [list_pairs(source, split) for split in ("train", "val")]  # type: ignore[arg-type]


def test_a_pack_is_no_source(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{}")
    source = SourceConfig(name="kitti", root=tmp_path)
    with pytest.raises(ValueError, match="--root: expected raw files, found a pack at"):
        list_pairs(source, "train")


@pytest.mark.parametrize("name", ["kitti", "cityscapes"])
def test_missing_data_is_told(name: str, tmp_path: Path) -> None:
    told = SourceConfig.model_validate({"name": name})
    with pytest.raises(ValueError, match=f"--root: expected the directory of {name}, found none"):
        list_pairs(told, "train")
    nowhere = told.model_copy(update={"root": tmp_path / "nowhere"})
    with pytest.raises(ValueError, match=rf"--root: .* {name}, found nothing at .*nowhere"):
        list_pairs(nowhere, "train")
