"""A split that lies on a device gives the batches that it gives from memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data import resident
from mtdepth.data.batch import LoadedBatch
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.mixture import open_training
from mtdepth.data.resident import ResidentSplit, near
from mtdepth.train import fit
from tests.mtdepth.batches import LEARNING
from tests.mtdepth.data.pack.conftest import tiny_pack
from tests.mtdepth.data.pack.packs import at, few, make, request

__all__ = ["tiny_pack"]
CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture(params=["driveworld", "kitti"])
def data(request: pytest.FixtureRequest) -> SplitData:
    fixture = {"driveworld": "tiny_data", "kitti": "kitti"}[request.param]
    return open_split(request.getfixturevalue(fixture), "train")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """One that has some GiB free, and is this machine's memory."""
    free = [8.0]
    monkeypatch.setattr(resident, "device_free_bytes", lambda: free[0] * 2**30)
    monkeypatch.setattr(
        resident, "ResidentSplit", lambda data, _, **told: ResidentSplit(data, CPU, **told)
    )
    near.cache_clear()
    yield free
    near.cache_clear()


def expect_same(one: LoadedBatch, other: LoadedBatch) -> None:
    assert torch.equal(one.frames, other.frames)
    assert torch.equal(one.intrinsics, other.intrinsics)
    assert (one.frames.dtype, one.intrinsics.dtype) == (other.frames.dtype, other.intrinsics.dtype)
    assert (one.instances is None) is (other.instances is None)
    if one.instances is not None and other.instances is not None:
        most = other.instances.measures.shape[1]
        assert torch.equal(one.instances.numbers, other.instances.numbers)
        assert torch.equal(one.instances.measures[:, :most], other.instances.measures)
        assert not one.instances.measures[:, most:].any()


@pytest.mark.parametrize("chunk", [3, 256])
@pytest.mark.parametrize("neighbours", [True, False])
def test_its_batches_are_those_of_the_split(
    data: SplitData, chunk: int, neighbours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "CHUNK", chunk)
    found = ResidentSplit(data, CPU, neighbours=neighbours)
    assert list(found.order(2, 3, 4)) == list(data.order(2, 3, 4))
    for indices in ([0], [3, 1, 3], list(range(len(data)))):
        for wanted in {neighbours, False}:
            expect_same(
                found.batch(indices, neighbours=wanted), data.batch(indices, neighbours=wanted)
            )


def test_a_frame_that_several_triplets_share_is_there_once(tiny_data: DataConfig) -> None:
    data = open_split(tiny_data, "train")
    frames = {frame.shifted(step) for frame in data.frames for step in (-1, 0, 1)}
    assert len(frames) < 3 * len(data)
    assert len(ResidentSplit(data, CPU, neighbours=True)._pixels) == len(frames)
    assert len(ResidentSplit(data, CPU, neighbours=False)._pixels) == len(data)


def test_packs_that_fit_go_to_a_gpu(
    tiny_data: DataConfig, tiny_pack: Path, gpu: list[float]
) -> None:
    raw, pack = (open_split(one, "train") for one in (tiny_data, at(tiny_data, tiny_pack)))
    assert near(raw, GPU, 1.0, neighbours=True) is raw
    assert near(pack, CPU, 1.0, neighbours=True) is pack
    there = near(pack, GPU, 1.0, neighbours=True)
    assert isinstance(there, ResidentSplit)
    assert near(pack, GPU, 1.0, neighbours=True) is there, "it is copied once"
    assert near(pack, GPU, 0.0, neighbours=True) is pack
    needed = sum(x.nbytes for x in vars(there).values() if isinstance(x, torch.Tensor)) / 2**30
    gpu[0] = needed
    near.cache_clear()
    assert near(pack, GPU, 1.0, neighbours=True) is pack, "half of what is free is less"
    gpu[0] = 3 * needed
    near.cache_clear()
    assert near(pack, GPU, 1.0, neighbours=True) is not pack


def test_data_sets_that_are_mixed_go_one_by_one(
    tiny_data: DataConfig, tiny_pack: Path, gpu: list[float]
) -> None:
    packed = at(tiny_data, tiny_pack)
    told = {
        **packed.model_dump(),
        "train_on": "train+val",
        "mix": [{"name": "driveworld", "root": tiny_data.root, "weight": 0.5}],
    }
    config = DataConfig.model_validate(told)
    place = partial(near, device=GPU, limit_gib=1.0, neighbours=True)
    there, here = open_training(config, place), open_training(config)
    order = list(here.order(4, 0, 1))
    assert list(there.order(4, 0, 1)) == order
    for indices in order:
        expect_same(there.batch(indices), here.batch(indices))


def test_training_from_there_is_training_from_the_pack(
    kitti: DataConfig, tmp_path: Path, gpu: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = few(kitti, tmp_path / "few")
    make(request(raw, tmp_path / "pack"))
    config = TrainConfig.model_validate({**LEARNING, "data": at(raw, tmp_path / "pack")})
    found: list[list[dict[str, float]]] = []
    for device in (CPU, GPU):
        epochs: list[dict[str, float]] = []
        place = partial(near, device=device, limit_gib=1.0, neighbours=True)
        monkeypatch.setattr("mtdepth.train.near", lambda data, place=place, **_: place(data))
        fit(config, lambda metrics, _, epochs=epochs: epochs.append(metrics))
        for metrics in epochs:
            metrics.pop("train/seconds")
        found.append(epochs)
    assert near.cache_info().currsize == 2
    assert found[0] == found[1]
