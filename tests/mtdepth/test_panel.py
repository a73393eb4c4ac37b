"""Panels: of an image, what is predicted and what is known to be true."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mtdepth.checkpoint import Training
from mtdepth.config import DataConfig
from mtdepth.data.loader import open_split
from mtdepth.metrics.names import Split
from mtdepth.panel import _median_ratio, shrink_depth, write_panels, write_sheet
from tests.mtdepth.batches import small_config

BOTH = ("depth", "instances")


def a_checkpoint(directory: Path, data: DataConfig, tasks: tuple[str, ...] = BOTH) -> Path:
    config = small_config(tasks=tasks, data=data.model_dump())
    Training.start(config, torch.device("cpu")).save(directory)
    return directory


def drawn(directory: Path) -> dict[str, dict[str, str]]:
    """The legends of pictures, by file name; each picture must be one."""
    found = {}
    for path in sorted(directory.iterdir()):
        with Image.open(path) as image:
            assert image.mode == "RGB"
            found[path.name] = json.loads(image.info["legend"])
    return found


def names(data: DataConfig, split: Split) -> list[str]:
    return [str(frame) for frame in open_split(data, split).frames]


DEPTH = ["true depth", "predicted depth", "depth error"]
INSTANCES = ["predicted offsets", "true instances", "predicted instances"]


def test_a_sheet_shows_a_few_images_as_one_picture(tiny_data: DataConfig, tmp_path: Path) -> None:
    checkpoint = a_checkpoint(tmp_path / "checkpoint", tiny_data)
    for num_images in (1, 2):
        write_sheet(checkpoint, "val", tmp_path / f"{num_images}.png", num_images=num_images)
    with Image.open(tmp_path / "1.png") as one, Image.open(tmp_path / "2.png") as two:
        assert one.width == two.width
        assert one.height < two.height < 2 * one.height


@pytest.mark.parametrize(
    ("tasks", "captions"),
    [(("depth",), DEPTH), (("instances",), INSTANCES), (BOTH, [*DEPTH, *INSTANCES])],
)
def test_pictures_are_of_the_tasks_and_of_the_images_asked_for(
    tiny_data: DataConfig, tmp_path: Path, tasks: tuple[str, ...], captions: list[str]
) -> None:
    checkpoint = a_checkpoint(tmp_path / "checkpoint", tiny_data, tasks)
    images = [names(tiny_data, "val")[i] for i in (2, 0)]
    write_panels(checkpoint, "val", tmp_path / "out", images)
    found = drawn(tmp_path / "out")
    assert list(found) == [f"0{i}-0{n}.png" for i in (0, 1) for n in range(1 + len(captions))]
    assert [legend["caption"] for legend in found.values()] == ["image", *captions] * 2
    write_panels(checkpoint, "val", tmp_path / "again", images[1:])
    first = (tmp_path / "again" / "00-00.png").read_bytes()
    assert first == (tmp_path / "out" / "01-00.png").read_bytes()


def test_an_image_has_one_range_of_depth_whatever_the_network(
    tiny_data: DataConfig, tmp_path: Path
) -> None:
    ranges = []
    for name, tasks in (("one", ("depth",)), ("other", BOTH)):
        checkpoint = a_checkpoint(tmp_path / name, tiny_data, tasks)
        write_panels(checkpoint, "val", tmp_path / f"{name}-out", names(tiny_data, "val")[:2])
        legends = drawn(tmp_path / f"{name}-out").values()
        own = [(x["low"], x["high"]) for x in legends if x["caption"].endswith(" depth")]
        assert own[0] == own[1], "predicted as true"
        ranges.append(own)
    assert ranges[0] == ranges[1]
    assert all(low.endswith(" m") and high.endswith(" m") for low, high in ranges[0])


def test_where_no_depth_is_true_it_is_shown_over_its_median(
    kitti: DataConfig, tmp_path: Path
) -> None:
    checkpoint = a_checkpoint(tmp_path / "checkpoint", kitti)
    for split, captions in (("val", ["predicted depth"]), ("test", DEPTH)):
        write_panels(checkpoint, split, tmp_path / split, names(kitti, split)[:1])
        legends = [x for x in drawn(tmp_path / split).values() if "depth" in x["caption"]]
        assert [legend["caption"] for legend in legends] == captions
    assert drawn(tmp_path / "val")["00-01.png"]["low"] == "0.3 medians"


def test_a_write_that_fails_leaves_the_picture_before(
    tiny_data: DataConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = a_checkpoint(tmp_path / "checkpoint", tiny_data, ("depth",))
    one, other = names(tiny_data, "val")[:2]
    write_panels(checkpoint, "val", tmp_path / "out", [one])
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def disk_full(_: Image.Image, path: Path, **_how: object) -> None:
        path.write_bytes(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(Image.Image, "save", disk_full)
    with pytest.raises(OSError, match="no space left"):
        write_panels(checkpoint, "val", tmp_path / "out", [other])
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_what_is_missing_is_told(tiny_data: DataConfig, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a checkpoint"):
        write_panels(tmp_path, "val", tmp_path / "out", [])
    checkpoint = a_checkpoint(tmp_path / "checkpoint", tiny_data, ("depth",))
    with pytest.raises(ValueError, match="expected images of the split 'val', found elsewhere"):
        write_panels(checkpoint, "val", tmp_path / "out", ["elsewhere"])


@given(seed=st.integers(0, 1000), height=st.integers(1, 12), width=st.integers(1, 16))
def test_shrinking_keeps_the_nearest_and_invents_nothing(
    seed: int, height: int, width: int
) -> None:
    rng = np.random.default_rng(seed)
    depth_m = rng.uniform(1, 80, (12, 16)) * (rng.random((12, 16)) < 0.2)
    small = shrink_depth(depth_m, height, width)
    assert small.shape == (height, width)
    known = depth_m[depth_m > 0]
    assert np.isin(small, [0, *known]).all()
    assert small[small > 0].min(initial=np.inf) == known.min(initial=np.inf)
    assert shrink_depth(depth_m, 12, 16) == pytest.approx(depth_m)


def test_shrinking_by_hand() -> None:
    depth_m = np.array([[0, 9, 0, 0], [7, 0, 0, 0], [0, 0, 3, 0], [0, 0, 0, 4]], np.float32)
    assert shrink_depth(depth_m, 2, 2).tolist() == [[7, 0], [0, 3]]
    assert not shrink_depth(np.zeros((4, 4), np.float32), 2, 2).any()


def test_the_scale_is_that_of_medians_where_truth_is_known() -> None:
    true_m = np.array([[0.0, 4.0, 6.0, 8.0, 500.0]])
    predicted_m = np.array([[90.0, 2.0, 3.0, 4.0, 90.0]])
    assert _median_ratio(true_m, predicted_m) == 2
    assert _median_ratio(np.zeros((2, 2)), np.ones((2, 2))) == 1
