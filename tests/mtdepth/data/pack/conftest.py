"""Packs that several tests look at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mtdepth.config import DataConfig
from tests.mtdepth.data.pack.packs import make, request


@pytest.fixture(scope="session")
def tiny_pack(tiny_data: DataConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw pack of the tiny world."""
    out = tmp_path_factory.mktemp("packs") / "tiny"
    make(request(tiny_data, out))
    return out


@pytest.fixture
def as_kitti(tiny_world: Path) -> DataConfig:
    """The tiny world as any other data set."""
    return DataConfig(name="kitti", root=tiny_world, split="driveworld", height=64, width=192)


@pytest.fixture
def world(tiny_world: Path, tmp_path: Path) -> DataConfig:
    """The tiny world, to be changed."""
    shutil.copytree(tiny_world, tmp_path / "world")
    return DataConfig(
        name="kitti", root=tmp_path / "world", split="driveworld", height=64, width=192
    )
