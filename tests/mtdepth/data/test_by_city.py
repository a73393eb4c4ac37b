"""Cityscapes' lists: annotated frames, and no city on two sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.by_city import cityscapes_frames
from mtdepth.data.by_drive import validation_drives
from mtdepth.data.splits import Frame, list_split
from mtdepth.metrics.names import Split
from tests.mtdepth.data.cityscapes_files import path_of

CITIES = [f"city{i:02d}" for i in range(20)]
PUBLISHED = {
    "aachen": 174,
    "bochum": 96,
    "bremen": 316,
    "cologne": 154,
    "darmstadt": 85,
    "dusseldorf": 221,
    "erfurt": 109,
    "hamburg": 248,
    "hanover": 196,
    "jena": 119,
    "krefeld": 99,
    "monchengladbach": 94,
    "strasbourg": 365,
    "stuttgart": 196,
    "tubingen": 144,
    "ulm": 95,
    "weimar": 142,
    "zurich": 122,
}
"""Annotated frames of the published training split."""


def annotate(root: Path, split: str, city: str, sequence: int = 0, index: int = 19) -> Frame:
    frame = Frame(f"{split}/{city}/{city}_{sequence:06d}", index)
    path_of(root, "camera", frame, "camera.json").touch()
    path_of(root, "gtFine", frame, "gtFine_instanceIds.png").touch()
    return frame


@pytest.fixture
def published(tmp_path: Path) -> dict[str, set[Frame]]:
    """Twenty cities to train on, three of them counting on, and one to validate on."""
    train = {annotate(tmp_path, "train", city, i) for i in range(2) for city in CITIES[3:]}
    train |= {annotate(tmp_path, "train", city, 0, i) for i in (313, 600) for city in CITIES[:3]}
    val = {annotate(tmp_path, "val", "frankfurt", i % 2, 294 + i) for i in range(5)}
    annotate(tmp_path, "test", "berlin")
    return {"train": train, "val": val}


def frames(root: Path, split: Split) -> tuple[Frame, ...]:
    return cityscapes_frames(root, split).frames


def cities(root: Path, split: Split) -> set[str]:
    return {frame.drive.split("/")[1] for frame in frames(root, split)}


def test_no_city_is_on_two_sides(tmp_path: Path, published: dict[str, set[Frame]]) -> None:
    train, val = cities(tmp_path, "train"), cities(tmp_path, "val")
    assert train | val == set(CITIES)
    assert not train & val
    assert 1 <= len(val) <= 2  # a tenth of the frames at most
    listed = [*frames(tmp_path, "train"), *frames(tmp_path, "val")]
    assert len(listed) == len(published["train"])
    assert set(listed) == published["train"]


def test_tested_on_is_the_published_validation_split(
    tmp_path: Path, published: dict[str, set[Frame]]
) -> None:
    assert frames(tmp_path, "test") == tuple(sorted(published["val"]))


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_frames_are_in_order(
    tmp_path: Path, published: dict[str, set[Frame]], split: Split
) -> None:
    listed = cityscapes_frames(tmp_path, split)
    assert listed.frames == tuple(sorted(listed.frames))
    assert listed.content.decode().splitlines() == [str(frame) for frame in listed.frames]


def test_either_annotation_suffices(tmp_path: Path, published: dict[str, set[Frame]]) -> None:
    before = frames(tmp_path, "test")
    cameras = sorted((tmp_path / "camera/val").glob("*/*"))
    maps = sorted((tmp_path / "gtFine/val").glob("*/*"))
    cameras[0].unlink()
    maps[1].unlink()
    listed = cityscapes_frames(tmp_path, "test")
    assert listed.frames == before
    assert listed.places == (str(maps[0]), *map(str, cameras[1:]))


@pytest.mark.parametrize(
    "name",
    [
        "._frankfurt_000000_000294_camera.json",
        "camera.json",
        "frankfurt_000000_camera.json",
        "frankfurt_000000_000294_camera.json.part",
        "frankfurt_000000_000x94_camera.json",
    ],
)
def test_other_files_are_passed_over(
    tmp_path: Path, published: dict[str, set[Frame]], name: str
) -> None:
    (tmp_path / "camera/val/frankfurt" / name).touch()
    assert frames(tmp_path, "test") == tuple(sorted(published["val"]))


@pytest.mark.parametrize(
    ("split", "folder"), [("train", "train"), ("val", "train"), ("test", "val")]
)
def test_a_directory_without_cityscapes_is_told(tmp_path: Path, split: Split, folder: str) -> None:
    with pytest.raises(ValueError, match=rf"data\.root: expected Cityscapes, with camera/{folder}"):
        frames(tmp_path, split)


def test_few_cities_are_told(tmp_path: Path) -> None:
    for city in CITIES[:3]:
        annotate(tmp_path, "train", city)
    with pytest.raises(ValueError, match=r"data\.split: expected a drive of at most 10%"):
        frames(tmp_path, "train")


def test_of_the_published_cities_two_validate() -> None:
    """By the SHA-256 of their names; 228 of 2,975 frames, and no third city fits."""
    assert sum(PUBLISHED.values()) == 2975
    held_out = validation_drives(city for city, num in PUBLISHED.items() for _ in range(num))
    assert held_out == {"erfurt", "jena"}


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_the_split_needs_no_lists(
    tmp_path: Path, published: dict[str, set[Frame]], split: Split
) -> None:
    config = DataConfig(split="cityscapes")
    assert list_split(config, tmp_path, split) == cityscapes_frames(tmp_path, split)


def test_lists_go_before(tmp_path: Path, published: dict[str, set[Frame]]) -> None:
    path = tmp_path / "splits/cityscapes/val_files.txt"
    path.parent.mkdir(parents=True)
    path.write_text("val/frankfurt/frankfurt_000001 295 l\n")
    config = DataConfig(split="cityscapes")
    listed = list_split(config, tmp_path, "val")
    assert listed.frames == (Frame("val/frankfurt/frankfurt_000001", 295),)
    with pytest.raises(ValueError, match=r"data\.split: expected train_files\.txt"):
        list_split(config, tmp_path, "train")
