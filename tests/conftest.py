"""What tests of both packages share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

if not torch.cuda.is_available():  # Triton, when it is imported, is to interpret its kernels
    os.environ["TRITON_INTERPRET"] = "1"

from mtdepth.config import DataConfig
from mtdepth.data.driveworld import DriveworldConfig, ensure

TINY_WORLD = DriveworldConfig(
    num_train_drives=3, num_val_drives=2, num_test_drives=1, num_frames=5, width=192, height=64
)
KITTI = Path(__file__).parents[2] / "shared" / "kitti"


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a driveworld of 30 frames, rendered once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()  # a worker of xdist has its own, in that of the run
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return ensure(TINY_WORLD, shared / "tiny-world", workers=1)


@pytest.fixture(scope="session")
def tiny_data(tiny_world: Path) -> DataConfig:
    """How a training reads it."""
    return DataConfig(root=tiny_world, driveworld=TINY_WORLD)


@pytest.fixture(scope="session")
def kitti() -> DataConfig:
    """The real KITTI sample, where it is there."""
    if not KITTI.is_dir():
        pytest.skip("the KITTI sample is not there")
    return DataConfig(name="kitti", root=KITTI, split="sample", height=64, width=192)
