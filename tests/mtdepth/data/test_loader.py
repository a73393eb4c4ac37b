"""Batches: the right frames at the right size, in an order that a seed and an epoch decide."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from mtdepth.config import DataConfig
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.source import RawSource, resize_nearest
from mtdepth.data.splits import Frame


def as_kitti(world: Path) -> DataConfig:
    """A world that may have lost files, which driveworld's own check would not let pass."""
    return DataConfig(name="kitti", root=world, split="driveworld", height=64, width=192)


@pytest.fixture(params=["driveworld", "kitti"])
def data(request: pytest.FixtureRequest) -> SplitData:
    name = {"driveworld": "tiny_data", "kitti": "kitti"}[request.param]
    return open_split(request.getfixturevalue(name), "val")


def read(data: SplitData, index: int, step: int = 0, kind: str = "image") -> Image.Image:
    """As a file browser would find it."""
    frame = data.frames[index]
    folder = data.source.reader.root / frame.drive / f"{kind}_02" / "data"
    (path,) = folder.glob(f"{frame.index + step:010d}.*")
    return Image.open(path)


def resized(image: Image.Image) -> Tensor:
    pixels = np.array(image.resize((192, 64), Image.Resampling.LANCZOS))
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def test_a_batch_has_what_it_promises(data: SplitData) -> None:
    batch = data.batch([2, 0]).to("cpu")
    assert batch.target.shape == (2, 3, 64, 192)
    assert batch.sources.shape == (2, 2, 3, 64, 192)
    assert batch.intrinsics.shape == (2, 3, 3)
    assert batch.instances is not None
    assert batch.instances.numbers.shape == (2, 64, 192)
    assert batch.instances.measures.shape[::2] == (2, 3)
    for colors in (batch.target, batch.sources):
        assert colors.dtype == torch.float32
        assert 0 <= colors.min() < 0.2 < 0.8 < colors.max() <= 1


def test_sources_are_the_frames_before_and_after(data: SplitData) -> None:
    indices = [4, 1]
    batch = data.batch(indices).to("cpu")
    for row, index in enumerate(indices):
        assert torch.equal(batch.target[row], resized(read(data, index)))
        for column, step in enumerate((-1, 1)):
            assert torch.equal(batch.sources[row, column], resized(read(data, index, step)))


def test_instance_maps_are_resized_to_the_nearest_pixel(data: SplitData) -> None:
    batch = data.batch([3]).to("cpu")
    assert batch.instances is not None
    image = np.array(read(data, 3, kind="instance").resize((192, 64), Image.Resampling.NEAREST))
    numbers = batch.instances.numbers[0].numpy()
    values = np.append(0, np.setdiff1d(image, [0]))
    assert np.array_equal(values[numbers], image)
    for number, (x, y, area) in enumerate(batch.instances.measures[0].tolist(), start=1):
        ys, xs = np.nonzero(numbers == number)
        assert (xs.mean(), ys.mean(), len(xs)) == (pytest.approx(x), pytest.approx(y), area)


def test_intrinsics_follow_the_size(data: SplitData) -> None:
    found = data.batch([0]).to("cpu").intrinsics[0].double().numpy()
    frame = data.frames[0]
    width, height = data.source.reader.image(frame).size
    whole = data.source.reader.calibration(frame).intrinsics("02")
    # the ray of a point of the image is the same at every size, and so are its edges
    for u, v in ((-0.5, -0.5), (width - 0.5, height - 0.5), (100, 20)):
        ray = np.linalg.solve(whole, [u, v, 1])
        there = ((u + 0.5) * 192 / width - 0.5, (v + 0.5) * 64 / height - 0.5, 1)
        assert np.linalg.solve(found, there) == pytest.approx(ray, abs=1e-6)


def test_kittis_intrinsics_at_the_networks_size(kitti: DataConfig) -> None:
    (found,) = open_split(kitti, "val").batch([0]).to("cpu").intrinsics
    focal_x, focal_y = 721.5377 * 192 / 1242, 721.5377 * 64 / 375
    axis = (610.0593 * 192 / 1242 - 0.5, 173.354 * 64 / 375 - 0.5)
    expected = torch.tensor([[focal_x, 0, axis[0]], [0, focal_y, axis[1]], [0, 0, 1]])
    assert torch.allclose(found, expected, atol=1e-4)


def test_truth_comes_at_the_size_of_the_data(data: SplitData) -> None:
    sample = data.truth(1)
    size = data.source.reader.image(data.frames[1]).size[::-1]
    assert sample.frame == data.frames[1]
    maps = [x for x in (sample.depth_m, sample.instances, sample.motion) if x is not None]
    assert maps
    assert all(found.shape == size for found in maps)


def test_without_neighbours_only_the_target_is_read(data: SplitData) -> None:
    batch = data.batch([1], neighbours=False).to("cpu")
    assert batch.sources.shape == (1, 0, 3, 64, 192)
    assert torch.equal(batch.target, data.batch([1]).to("cpu").target)


def test_the_first_frame_of_a_drive_has_no_neighbours(kitti: DataConfig) -> None:
    data = open_split(kitti, "test")
    assert [data.has_neighbours(i) for i in range(10)] == [False, *[True] * 8, False]
    with pytest.raises(ValueError, match=r"-000000001\.png: expected an image"):
        data.batch([0]).to("cpu")
    assert data.batch([0], neighbours=False).to("cpu").target.shape == (1, 3, 64, 192)


def test_a_frame_is_read_once_as_far_as_memory_is_granted(
    tiny_data: DataConfig, tmp_path: Path
) -> None:
    assert tiny_data.root
    shutil.copytree(tiny_data.root, tmp_path / "copy")
    config = as_kitti(tmp_path / "copy")
    kept, unkept = (
        open_split(config.model_copy(update={"cache_gib": gib}), "val") for gib in (1, 0)
    )
    before = kept.batch([0, 1]).to("cpu")
    assert torch.equal(before.target, unkept.batch([0, 1]).to("cpu").target)
    for folder in ("image_02", "instance_02"):
        for path in (tmp_path / "copy").glob(f"*/*/{folder}"):
            shutil.rmtree(path)
    after = kept.batch([0, 1]).to("cpu")
    assert torch.equal(before.sources, after.sources)
    assert before.instances is not None
    assert after.instances is not None
    assert torch.equal(before.instances.numbers, after.instances.numbers)
    with pytest.raises(ValueError, match="expected an image"):
        unkept.batch([0, 1]).to("cpu")


def test_a_batch_has_instances_or_none(tiny_data: DataConfig, tmp_path: Path) -> None:
    assert tiny_data.root
    shutil.copytree(tiny_data.root, tmp_path / "copy")
    data = open_split(as_kitti(tmp_path / "copy"), "val")
    frame = data.frames[0]
    (data.source.reader.root / frame.drive / f"instance_02/data/{frame.index:010d}.png").unlink()
    assert data.batch([1]).to("cpu").instances is not None
    assert data.batch([0]).to("cpu").instances is None
    assert data.batch([1, 0]).to("cpu").instances is None


def test_one_process_opens_a_split_once(tiny_data: DataConfig) -> None:
    same = DataConfig.model_validate(tiny_data.model_dump())
    assert open_split(tiny_data, "val") is open_split(same, "val")
    assert open_split(tiny_data, "val") is not open_split(tiny_data, "test")


def test_nearest_takes_the_middle_of_what_a_pixel_covers() -> None:
    values = np.arange(12).reshape(2, 6)
    assert resize_nearest(values, 2, 2).tolist() == [[1, 4], [7, 10]]
    assert resize_nearest(values, 4, 6).tolist() == [[*range(6)]] * 2 + [[*range(6, 12)]] * 2
    assert np.array_equal(resize_nearest(values, 2, 6), values)


NOTHING = RawSource(DataConfig(), KittiRaw(Path("nowhere")))


def orders(samples: int, size: int, seed: int, epoch: int) -> list[list[int]]:
    frames = [Frame("drive", index) for index in range(samples)]
    return list(SplitData(frames, NOTHING).order(size, seed, epoch))


@given(
    samples=st.integers(1, 60),
    size=st.integers(1, 60),
    seed=st.integers(0, 2**40),
    epoch=st.integers(1, 10**6),
)
def test_an_epoch_shows_each_sample_at_most_once(
    samples: int, size: int, seed: int, epoch: int
) -> None:
    size = min(size, samples)
    batches = orders(samples, size, seed, epoch)
    assert [len(batch) for batch in batches] == [size] * (samples // size)
    shown = [index for batch in batches for index in batch]
    assert len(set(shown)) == len(shown)
    assert set(shown) <= set(range(samples))


def test_seed_and_epoch_decide_the_order_alone() -> None:
    told = [(seed, epoch) for seed in range(3) for epoch in range(1, 4)]
    first = {key: orders(40, 4, *key) for key in told}
    again = {key: orders(40, 4, *key) for key in reversed(told)}  # resumed anywhere
    assert first == again
    assert len({str(order) for order in first.values()}) == len(told)


def test_what_an_epoch_leaves_out_another_shows() -> None:
    shown = {i for epoch in range(30) for batch in orders(7, 4, 0, epoch) for i in batch}
    assert shown == set(range(7))


def test_a_split_smaller_than_a_batch_is_refused() -> None:
    with pytest.raises(ValueError, match=r"batch_size: expected at most the 3 samples .* found 4"):
        orders(3, 4, 0, 1)
