"""Data sets of other layouts are packed by the same code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mtdepth.config import DataConfig
from mtdepth.data.check import check_data
from mtdepth.data.loader import open_split
from mtdepth.data.pack.verify import verify
from mtdepth.data.prepare import main
from mtdepth.data.splits import SPLITS, Frame
from mtdepth.metrics.names import Split
from tests.mtdepth.data.cityscapes_files import write_snippet
from tests.mtdepth.data.pack.packs import at


def assert_same(raw: DataConfig, out: Path) -> None:
    """Whatever a training or an evaluation asks of the pack, it gets what the raw files give."""
    arguments = [raw.name, "--root", str(raw.root), "--split", raw.split, "--workers", "1"]
    size = f"{raw.width}x{raw.height}"
    assert main([*arguments, "--size", size, "--out", str(out), "--strict"]) == 0
    assert verify(out, 1, lambda finding: None) == []
    pack = at(raw, out)
    expected, found = check_data(raw), check_data(pack)
    for split in SPLITS:
        assert expected[split].truth == found[split].truth
        assert expected[split].unlabelled == found[split].unlabelled
        assert_same_split(raw, pack, split)


def assert_same_split(raw: DataConfig, pack: DataConfig, split: Split) -> None:
    one, other = open_split(raw, split), open_split(pack, split)
    assert one.frames == other.frames
    for index, frame in enumerate(one.frames):
        neighbours = one.has_neighbours(index)
        assert other.has_neighbours(index) is neighbours
        batches = [data.batch([index], neighbours=neighbours) for data in (one, other)]
        assert torch.equal(batches[0].frames, batches[1].frames)
        assert torch.equal(batches[0].intrinsics, batches[1].intrinsics)
        assert (batches[0].instances is None) is (batches[1].instances is None)
        poses = [data.source.world_T_cam(frame) for data in (one, other)]
        assert np.array_equal(*poses) if poses[0] is not None else poses[1] is None
        if split != "train":
            truths = [data.truth(index) for data in (one, other)]
            for name in ("depth_m", "instances", "motion"):
                maps = [getattr(truth, name) for truth in truths]
                assert np.array_equal(*maps) if maps[0] is not None else maps[1] is None


def test_cityscapes(tmp_path: Path) -> None:
    root = tmp_path / "cityscapes"
    for number in range(11):
        city = f"city{number:02d}"
        write_snippet(root, Frame(f"train/{city}/{city}_000000", 19), steps=(-1, 0, 1))
    write_snippet(root, Frame("val/ulm/ulm_000000", 19), steps=(-1, 0, 1))
    raw = DataConfig(name="cityscapes", root=root, height=64, width=128)
    assert_same(raw, tmp_path / "pack")
    pack = at(raw, tmp_path / "pack")
    assert [len(open_split(pack, split)) for split in SPLITS] == [10, 1, 1]
    truth = open_split(pack, "test").truth(0)
    assert truth.depth_m is not None
    assert truth.instances is not None


def test_odometry(tmp_path: Path) -> None:
    sequence, lists = tmp_path / "kitti/sequences/09", tmp_path / "kitti/splits/odom"
    for folder in (sequence / "image_2", sequence / "velodyne", tmp_path / "kitti/poses", lists):
        folder.mkdir(parents=True)
    lines = [f"P{camera}: 90 0 40 0 0 90 20 0 0 0 1 0" for camera in range(4)]
    lines.append("Tr: 0 -1 0 0 0 0 -1 0 1 0 0 -1")
    (sequence / "calib.txt").write_text("\n".join(lines))
    poses = [f"1 0 0 0 0 1 0 0 0 0 1 {index}.5" for index in range(5)]
    (tmp_path / "kitti/poses/09.txt").write_text("\n".join(poses))
    rng = np.random.default_rng(0)
    for index in range(5):
        pixels = rng.integers(0, 255, (48, 90, 3), np.uint8)
        Image.fromarray(pixels).save(sequence / f"image_2/{index:06d}.png")
        points = np.array([(11, 0, 0, 0.5), (6, 1, 0, 0.5), (9, -2, 1, 0.5)], "<f4")
        points.tofile(sequence / f"velodyne/{index:06d}.bin")
    for name in ("train_files", "val_files"):
        (lists / f"{name}.txt").write_text("9 1 l\n9 2 l\n")
    (lists / "test_files_09.txt").write_text("9 0 l\n9 3 l\n")
    raw = DataConfig(
        name="kitti-odometry", root=tmp_path / "kitti", split="odom", height=64, width=96
    )
    assert_same(raw, tmp_path / "pack")
    data = open_split(at(raw, tmp_path / "pack"), "test")
    depth_m = data.truth(1).depth_m
    assert depth_m is not None
    assert (depth_m > 0).sum() == 3
    assert data.source.world_T_cam(data.frames[1])[2, 3] == 3.5
