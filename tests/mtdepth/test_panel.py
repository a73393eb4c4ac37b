"""Panels: a row an image, a column for what is predicted and for what is known to be true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mtdepth.checkpoint import Training
from mtdepth.config import DataConfig
from mtdepth.figures import CAPTION, GAP
from mtdepth.panel import COLUMN_WIDTH, _median_ratio, shrink_depth, write_panel
from tests.mtdepth.batches import small_config

BOTH = ("depth", "instances")


def a_checkpoint(directory: Path, data: DataConfig, tasks: tuple[str, ...] = BOTH) -> Path:
    config = small_config(tasks=tasks, data=data.model_dump())
    Training.start(config, torch.device("cpu")).save(directory)
    return directory


def num_columns(path: Path) -> int:
    with Image.open(path) as sheet:
        return (sheet.width - GAP) // (COLUMN_WIDTH + GAP)


def num_rows(path: Path, data: DataConfig) -> int:
    row = round(COLUMN_WIDTH * data.height / data.width) + GAP
    with Image.open(path) as sheet:
        return (sheet.height - GAP - CAPTION) // row


@pytest.mark.parametrize(("tasks", "columns"), [(("depth",), 3), (("instances",), 4), (BOTH, 6)])
def test_columns_are_of_the_tasks(
    tiny_data: DataConfig, tmp_path: Path, tasks: tuple[str, ...], columns: int
) -> None:
    checkpoint = a_checkpoint(tmp_path / "checkpoint", tiny_data, tasks)
    write_panel(checkpoint, "val", tmp_path / "pictures/panel.png", num_images=3)
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["panel.png"]
    assert num_columns(tmp_path / "pictures/panel.png") == columns
    assert num_rows(tmp_path / "pictures/panel.png", tiny_data) == 3


def test_a_small_split_gives_fewer_rows(tiny_data: DataConfig, tmp_path: Path) -> None:
    checkpoint = a_checkpoint(tmp_path / "checkpoint", tiny_data, ("depth",))
    write_panel(checkpoint, "test", tmp_path / "panel.png", num_images=100)
    assert 0 < num_rows(tmp_path / "panel.png", tiny_data) < 10


def test_real_images_have_lidar_and_a_teachers_instances(kitti: DataConfig, tmp_path: Path) -> None:
    checkpoint = a_checkpoint(tmp_path / "checkpoint", kitti)
    for split, columns in (("val", 5), ("test", 6)):
        write_panel(checkpoint, split, tmp_path / f"{split}.png", num_images=2)
        assert num_columns(tmp_path / f"{split}.png") == columns


def test_a_write_that_fails_leaves_the_panel_before(
    tiny_data: DataConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = a_checkpoint(tmp_path / "checkpoint", tiny_data, ("depth",))
    out = tmp_path / "pictures/panel.png"
    write_panel(checkpoint, "val", out, num_images=1)
    before = out.read_bytes()

    def disk_full(_: Image.Image, path: Path, **told: object) -> None:
        path.write_bytes(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(Image.Image, "save", disk_full)
    with pytest.raises(OSError, match="no space left"):
        write_panel(checkpoint, "val", out, num_images=2)
    assert out.read_bytes() == before
    assert list(out.parent.iterdir()) == [out]


def test_a_missing_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a checkpoint"):
        write_panel(tmp_path, "val", tmp_path / "panel.png")


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
