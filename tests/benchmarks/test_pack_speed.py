"""Why there are packs: a batch of decoded and resized frames costs hundreds of times what a batch
of packed ones does, which is little more than its bytes.

Run by hand: `pytest -m slow -s tests/benchmarks`. The ratios are what counts, not the seconds.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mtdepth.config import DataConfig
from mtdepth.data.driveworld import DriveworldConfig, ensure
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.pack.request import make_request
from mtdepth.data.pack.write import make_pack
from mtdepth.data.reader import open_reader

WORLD = DriveworldConfig(
    width=1248, height=384, num_train_drives=3, num_val_drives=1, num_test_drives=1,
    num_frames=16, lidar=False, supersampling=1,
)  # fmt: skip
"""Nearly as large as KITTI's images."""
BATCH_SIZE = 12
NUM_ROUNDS = 3


def seconds(work: Callable[[], object]) -> float:
    """Of this process's core, whatever else the machine does."""
    started = time.process_time()
    work()
    return time.process_time() - started


@pytest.fixture(params=["driveworld", "kitti"])
def raw(request: pytest.FixtureRequest, tmp_path: Path) -> DataConfig:
    size = {"width": 640, "height": 192, "cache_gib": 0.0}
    if request.param == "kitti":
        return request.getfixturevalue("kitti").model_copy(update=size)
    world = ensure(WORLD, tmp_path / "world", workers=1)
    return DataConfig(name="kitti", root=world, split="driveworld", **size)


def packed(config: DataConfig, out: Path, codec: str) -> DataConfig:
    assert config.root
    reader = open_reader(config, config.root)
    made = make_pack(make_request(config, reader, out, codec), reader, lambda result: None)
    num_bytes = sum(shard.num_bytes for shard in made.shards)
    print(f"{codec}: {num_bytes / made.num_frames / 1024:.0f} KiB a frame")
    return config.model_copy(update={"root": out})


def with_images(config: DataConfig, root: Path, suffix: str) -> DataConfig:
    """The same images as PNG, or as JPEG the way monodepth2 asks for them."""
    assert config.root
    shutil.copytree(config.root, root)
    options = {"quality": 92, "subsampling": "4:2:0"} if suffix == ".jpg" else {}
    for path in root.glob("*/*/image_02/data/*"):
        if path.suffix != suffix:
            with Image.open(path) as image:
                image.save(path.with_suffix(suffix), **options)
            path.unlink()
    return config.model_copy(update={"root": root})


def epoch(data: SplitData, num_batches: int | None = None) -> Callable[[], object]:
    """A pass over the training split, or its beginning, in the order of a training."""
    batches = list(data.order(BATCH_SIZE, seed=0, epoch=1))[:num_batches]

    def run() -> None:
        for indices in batches:
            data.batch(indices)

    return run


def copying(data: SplitData) -> Callable[[], object]:
    """The bytes of such a pass, from one end of an array to the other."""
    bytes_a_batch = BATCH_SIZE * 3 * 3 * 192 * 640
    pixels = np.stack([data.source.pixels(frame) for frame in data.frames]).reshape(-1)
    starts = np.linspace(0, len(pixels) - bytes_a_batch, len(data) // BATCH_SIZE).astype(int)

    def run() -> None:
        for start in starts:
            pixels[start : start + bytes_a_batch].copy()

    return run


@pytest.mark.slow
def test_a_packed_batch_costs_little_more_than_its_bytes(raw: DataConfig, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    raw_pack = open_split(packed(raw, tmp_path / "raw", "raw"), "train")
    jpeg_pack = open_split(packed(raw, tmp_path / "jpeg", "jpeg"), "train")
    works = {
        "png": epoch(open_split(with_images(raw, tmp_path / "png", ".png"), "train"), 1),
        "jpg": epoch(open_split(with_images(raw, tmp_path / "jpg", ".jpg"), "train"), 1),
        "jpeg pack": epoch(jpeg_pack, 1),
        "raw pack": epoch(raw_pack),
        "copy": copying(raw_pack),
    }
    num_batches = dict.fromkeys(works, 1) | dict.fromkeys(
        ("raw pack", "copy"), len(raw_pack) // BATCH_SIZE
    )
    costs = dict.fromkeys(works, float("inf"))
    for _ in range(NUM_ROUNDS):  # in turns, so that a busy machine slows down all of them
        for name, work in works.items():
            costs[name] = min(costs[name], seconds(work) / num_batches[name])
    for name, cost in costs.items():
        print(
            f"{name}: {BATCH_SIZE / cost:.0f} triplets a second, "
            f"{cost / costs['raw pack']:.2f} times the cost of the raw pack"
        )
    assert costs["png"] > 100 * costs["raw pack"]
    assert costs["raw pack"] < 2 * costs["copy"]
