"""A study whose models are networks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.study.tracking.trained import EVENTS, write_trained


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trained(tmp_path_factory.mktemp("trained") / "study", EVENTS)


@pytest.fixture
def trained(written: Path, tmp_path: Path) -> Path:
    """Its directory; a test may change it."""
    return Path(shutil.copytree(written, tmp_path / "study"))
