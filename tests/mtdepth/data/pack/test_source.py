"""A pack gives what the raw files give."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from mtdepth.config import DataConfig, DepthTruth, EvaluationConfig, LidarDepth
from mtdepth.data.batch import LoadedBatch
from mtdepth.data.check import check_data
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.pack.entries import Codec
from mtdepth.data.pack.source import PackSource, open_pack
from mtdepth.data.splits import SPLITS, Frame
from mtdepth.metrics.names import Split
from tests.mtdepth.data.pack.packs import at, few, make, request

JUDGED: tuple[Split, ...] = ("val", "test")
DRIVE = "2026_01_01/2026_01_01_drive_0000_sync"


@pytest.fixture(scope="module")
def pair(
    which: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[DataConfig, DataConfig]:
    raw: DataConfig = request.getfixturevalue({"driveworld": "tiny_data", "kitti": "kitti"}[which])
    return raw, at(raw, packed(raw, tmp_path_factory.mktemp("pack") / which))


def packed(raw: DataConfig, out: Path, codec: Codec = "raw") -> Path:
    make(request(raw, out, codec, most_frames=100 if raw.name == "kitti" else 8))
    return out


def same_instances(one: LoadedBatch, other: LoadedBatch) -> bool:
    if one.instances is None or other.instances is None:
        return one.instances is other.instances
    return all(
        a.dtype == b.dtype and torch.equal(a, b)
        for a, b in zip(*(vars(x.instances).values() for x in (one, other)), strict=True)
    )


def some(data: SplitData, num: int = 12) -> list[int]:
    return np.linspace(0, len(data) - 1, min(num, len(data))).astype(int).tolist()


def same(one: object, other: object) -> bool:
    if one is None or other is None:
        return one is other
    assert isinstance(one, np.ndarray)
    assert isinstance(other, np.ndarray)
    return one.dtype == other.dtype and np.array_equal(one, other)


both = pytest.mark.parametrize("which", ["driveworld", "kitti"], scope="module")


@both
@pytest.mark.parametrize("split", SPLITS)
def test_batches_are_those_of_the_raw_files(
    pair: tuple[DataConfig, DataConfig], split: Split
) -> None:
    raw, pack = (open_split(config, split) for config in pair)
    assert raw.frames == pack.frames
    indices = [i for i in reversed(some(raw)) if raw.has_neighbours(i)]
    expected, found = (data.batch(indices) for data in (raw, pack))
    assert found.frames.shape == (len(indices), 3, 3, 64, 192)
    assert torch.equal(found.frames, expected.frames)
    assert torch.equal(found.intrinsics, expected.intrinsics)
    assert (found.intrinsics.dtype, found.frames.dtype) == (torch.float32, torch.uint8)
    assert same_instances(found, expected)
    for index in range(len(raw)):
        assert raw.has_neighbours(index) is pack.has_neighbours(index)
        assert raw.has_instances(index) is pack.has_instances(index)


@both
@pytest.mark.parametrize("split", JUDGED)
@pytest.mark.parametrize("truth", get_args(DepthTruth))
@pytest.mark.parametrize("lidar_depth", get_args(LidarDepth))
def test_truth_is_that_of_the_raw_files(
    pair: tuple[DataConfig, DataConfig], split: Split, truth: DepthTruth, lidar_depth: LidarDepth
) -> None:
    raw, pack = (open_split(config, split) for config in pair)
    told = EvaluationConfig(truth=truth, lidar_depth=lidar_depth)
    for index in some(raw, 6):
        expected, found = raw.truth(index, told), pack.truth(index, told)
        assert expected.frame == found.frame
        assert same(expected.depth_m, found.depth_m)
        assert same(expected.instances, found.instances)
        assert same(expected.motion, found.motion)


@both
def test_poses_are_those_of_the_raw_files(pair: tuple[DataConfig, DataConfig]) -> None:
    raw, pack = (open_split(config, "test") for config in pair)
    known = [frame for frame in raw.frames if raw.source.has_image(frame.shifted(1))]
    for frame in [x for f in known for x in (f, f.shifted(1))]:
        assert same(raw.source.world_T_cam(frame), pack.source.world_T_cam(frame))
        assert pack.source.world_T_cam(frame) is not None


@both
def test_check_promises_the_same_truth(pair: tuple[DataConfig, DataConfig]) -> None:
    for told in (EvaluationConfig(), EvaluationConfig(truth="lidar")):
        expected, found = (check_data(config, evaluation=told) for config in pair)
        for split in SPLITS:
            assert found[split].truth == expected[split].truth
            assert found[split].num_samples == expected[split].num_samples
            assert found[split].unlabelled == expected[split].unlabelled
        assert len({summary.fingerprint for summary in found.values()}) == 1


def test_what_a_drive_lacks_a_pack_lacks(tiny_world: Path, tmp_path: Path) -> None:
    """No instances, no depth, no poses in one drive, and a scan in place of its map in another."""
    world = shutil.copytree(tiny_world, tmp_path / "world")
    bare, scanned = (world / DRIVE.replace("0000", number) for number in ("0003", "0004"))
    for name in ("instance_02", "motion_02", "proj_depth", "velodyne_points", "oxts"):
        shutil.rmtree(bare / name)
    (bare / "poses_02.txt").unlink()
    shutil.rmtree(scanned / "proj_depth")
    raw = DataConfig(name="kitti", root=world, split="driveworld", height=64, width=192)
    pack = at(raw, packed(raw, tmp_path / "pack"))
    expected, found = open_split(raw, "val"), open_split(pack, "val")
    depths = []
    for index, frame in enumerate(expected.frames):
        for told in (
            EvaluationConfig(),
            EvaluationConfig(lidar_depth="camera"),
            EvaluationConfig(truth="lidar", lidar_depth="camera"),
        ):
            one, other = expected.truth(index, told), found.truth(index, told)
            assert same(one.depth_m, other.depth_m)
            assert same(one.instances, other.instances)
            assert same(one.motion, other.motion)
            depths.append(other.depth_m)
        assert same(expected.source.world_T_cam(frame), found.source.world_T_cam(frame))
        assert same_instances(expected.batch([index]), found.batch([index]))
    assert any(depth is None for depth in depths)
    assert any(depth is not None for depth in depths)
    assert found.batch([0]).instances is None
    assert {s: x.truth for s, x in check_data(raw).items()} == {
        s: x.truth for s, x in check_data(pack).items()
    }


def test_a_split_without_neighbours_promises_no_poses(tiny_world: Path, tmp_path: Path) -> None:
    lists = shutil.copytree(tiny_world / "splits/driveworld", tmp_path / "alone")
    (lists / "test_files.txt").write_text(f"{DRIVE.replace('0000', '0005')} 0 l\n")
    raw = DataConfig(name="kitti", root=tiny_world, split=str(lists), height=64, width=192)
    pack = at(raw, packed(raw, tmp_path / "pack"))
    for config in (raw, pack):
        assert check_data(config)["test"].truth.missing() == ["neighbours", "poses"]
        assert check_data(config)["val"].truth.missing() == []


def test_depth_of_maps_alone_is_no_lidar(tiny_world: Path, tmp_path: Path) -> None:
    world = shutil.copytree(tiny_world, tmp_path / "world")
    for folder in world.glob("*/*/velodyne_points"):
        shutil.rmtree(folder)
    raw = DataConfig(name="kitti", root=world, split="driveworld", height=64, width=192)
    pack = at(raw, packed(raw, tmp_path / "pack"))
    promised = [
        [
            check_data(x, evaluation=EvaluationConfig(truth=truth))["test"].truth.depth
            for x in (raw, pack)
        ]
        for truth in get_args(DepthTruth)
    ]
    assert promised == [[True, True], [False, False]]
    data = open_split(pack, "test")
    assert data.truth(0, EvaluationConfig(truth="lidar")).depth_m is None
    assert data.truth(0).depth_m is not None


@pytest.mark.parametrize("name", ["tiny_data", "kitti"])
def test_jpeg_frames_are_nearly_those_of_the_raw_files(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    raw: DataConfig = request.getfixturevalue(name)
    raw = few(raw, tmp_path / "few") if name == "kitti" else raw
    config = at(raw, packed(raw, tmp_path / "pack", "jpeg"))
    expected, found = (open_split(x, "val").batch([0, 1]) for x in (raw, config))
    error = (found.frames.int() - expected.frames.int()).abs().double()
    assert found.frames.dtype == torch.uint8
    assert 0 < error.mean() < 4
    assert error.max() < 60
    assert torch.equal(found.intrinsics, expected.intrinsics)
    assert same_instances(found, expected)
    raw_bytes, jpeg_bytes = 3 * 64 * 192, sum(x.stat().st_size for x in config.root.glob("*.arrow"))
    assert jpeg_bytes > 0
    pack = open_pack(config, config.root)
    cells = [pack._cell(0, row, "image") for row in range(4)]
    assert max(map(len, cells)) < raw_bytes / 2


def test_pixels_are_read_where_they_lie(tiny_data: DataConfig, tiny_pack: Path) -> None:
    data = open_split(at(tiny_data, tiny_pack), "train")
    pixels = data.source.pixels(data.frames[0])
    again = data.source.pixels(data.frames[0])
    assert np.shares_memory(pixels, again)
    assert not pixels.flags.owndata
    assert not pixels.flags.writeable
    maps = [data.source.instances(data.frames[0]) for _ in range(2)]
    assert np.shares_memory(maps[0].numbers, maps[1].numbers)


def test_a_batch_is_a_copy(tiny_data: DataConfig, tiny_pack: Path) -> None:
    data = open_split(at(tiny_data, tiny_pack), "train")
    batch = data.batch([0])
    before = batch.frames.clone()
    batch.frames.zero_()
    batch.intrinsics.zero_()
    assert torch.equal(data.batch([0]).frames, before)


def test_no_file_stays_open(tiny_data: DataConfig, tiny_pack: Path) -> None:
    """A pack of KITTI has 175 files, and a process may often open no more than 1024."""
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("only Linux tells which files are open")
    source = PackSource(tiny_pack, open_pack(at(tiny_data, tiny_pack), tiny_pack).manifest)
    open_files = [str(x.readlink()) for x in descriptors.iterdir() if x.is_symlink()]
    assert not [name for name in open_files if name.endswith(".arrow")]
    assert source.pixels(Frame(DRIVE, 1)).max() > 0


def test_splits_share_a_pack(tiny_data: DataConfig, tiny_pack: Path) -> None:
    config = at(tiny_data, tiny_pack)
    assert open_split(config, "train").source is open_split(config, "val").source


def test_a_frame_that_is_not_there_is_told(tiny_data: DataConfig, tiny_pack: Path) -> None:
    source = open_pack(at(tiny_data, tiny_pack), tiny_pack)
    absent = Frame(DRIVE, 99)
    assert not source.has_image(absent)
    assert not source.has_instances(absent)
    assert source.world_T_cam(absent) is None
    for ask in (source.pixels, source.intrinsics, source.instances):
        with pytest.raises(ValueError, match=rf"{tiny_pack}: expected .* {DRIVE} 99 l, found none"):
            ask(absent)


def test_training_frames_have_no_truth(tiny_data: DataConfig, tiny_pack: Path) -> None:
    data = open_split(at(tiny_data, tiny_pack), "train")
    with pytest.raises(ValueError, match=rf"of validation or test, found {DRIVE} 1 l of training"):
        data.truth(0)
