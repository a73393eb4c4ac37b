"""A training timed whole, beside its steps alone: what loading, augmentation, validation and
checkpoints add to them. On a GPU it is of KITTI size (39,810 triplets, 4,272 validation images, 20
epochs, 192x640), on a CPU a small one.

Run by hand: `OMP_NUM_THREADS=1 pytest -m slow -s tests/benchmarks/test_whole_training.py`. It draws
from a pack of fewer frames than KITTI has, again and again.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from mtdepth.bench.__main__ import MODES
from mtdepth.bench.machine import now
from mtdepth.bench.measure import measure
from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data.driveworld import DriveworldConfig, ensure
from mtdepth.data.loader import open_split
from mtdepth.data.prepare import main
from mtdepth.device import best_device
from mtdepth.train import fit

FULL = torch.cuda.is_available()
HEIGHT, WIDTH = (192, 640) if FULL else (96, 320)
NUM_EPOCHS, NUM_TRIPLETS = (20, 39_810) if FULL else (2, 160)
WORLD = DriveworldConfig(
    width=WIDTH, height=HEIGHT, lidar=False, supersampling=1, num_test_drives=1,
    num_train_drives=40 if FULL else 4, num_val_drives=89 if FULL else 1,
    num_frames=50 if FULL else 12,
)  # fmt: skip
MOST = 1.25
pytestmark = pytest.mark.slow


def packed(directory: Path) -> DataConfig:
    """Of `NUM_TRIPLETS` an epoch, as a training set that a pack is mixed into itself."""
    world = ensure(WORLD, directory / "world", workers=os.cpu_count() or 1)
    pack, size = directory / "pack", f"{WIDTH}x{HEIGHT}"
    assert main(["driveworld", f"--root={world}", f"--out={pack}", f"--size={size}"]) == 0
    alone = DataConfig(root=pack, height=HEIGHT, width=WIDTH, driveworld=WORLD)
    num = len(open_split(alone, "train"))
    again = {"name": "driveworld", "root": pack, "weight": NUM_TRIPLETS / num - 1}
    return DataConfig.model_validate(alone.model_dump() | {"mix": (again,)})


@pytest.mark.parametrize("mode", ["st", "mt"])
def test_a_training_is_little_but_its_steps(mode: str, tmp_path: Path) -> None:
    told: dict[str, Any] = {
        "data": packed(tmp_path), "encoder": {"weights": "none"}, "epochs": NUM_EPOCHS,
        "batch_size": 48 if FULL else 4, "precision": "bf16" if FULL else "fp32",
    }  # fmt: skip
    config = TrainConfig.model_validate(MODES[mode] | told)
    num_steps = NUM_EPOCHS * (NUM_TRIPLETS // config.batch_size)
    device = best_device()
    steps_s = num_steps * measure(config, device, 5, reference=False).steps["step"].best
    started, wall = now(device), time.perf_counter()
    fit(config, lambda *_: None)
    whole_s, wall_s = now(device) - started, time.perf_counter() - wall
    print(
        f"{mode}: {NUM_EPOCHS} epochs of {NUM_TRIPLETS} triplets in {wall_s:.1f} s, "
        f"{NUM_EPOCHS * NUM_TRIPLETS / wall_s:.1f} a second; {whole_s / steps_s:.2f} of its steps"
    )
    assert whole_s < MOST * steps_s
