"""Images without instance maps: none may be trained on, and judging the rest goes on."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import torch

from mtdepth.checkpoint import Training
from mtdepth.config import DataConfig
from mtdepth.data.check import check_data
from mtdepth.data.loader import opened
from mtdepth.evaluate import evaluate_network
from mtdepth.train import fit
from tests.mtdepth.test_train import config

CPU = torch.device("cpu")
TRAIN, TEST = (f"2026_01_01/2026_01_01_drive_{i:04d}_sync/instance_02/data" for i in (0, 5))


@pytest.fixture
def data(tiny_world: Path, tmp_path: Path) -> DataConfig:
    shutil.copytree(tiny_world, tmp_path / "copy")
    return DataConfig(name="kitti", root=tmp_path / "copy", split="driveworld")


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        (f"{TRAIN}/0000000002.png", r"drive_0000_sync 2 l \(1 of 9 images have none\)"),
        ("*/*/instance_02/data/*.png", r"\(9 of 9 images have none\)"),
    ],
)
@pytest.mark.parametrize("tasks", [["instances"], ["depth", "instances"]])
def test_training_does_not_begin(data: DataConfig, gone: str, told: str, tasks: list[str]) -> None:
    assert data.root is not None
    for path in data.root.glob(gone):
        path.unlink()
    message = rf"^tasks: 'instances' expects an instance map .*, found none for .*{told}$"
    assert re.match(message, check_data(data)["train"].unlabelled or "")
    with pytest.raises(ValueError, match=message):
        fit(config(data, tasks=tasks), lambda *_: pytest.fail("an epoch was trained"))
    fit(config(data, tasks=["depth"], epochs=1, max_steps_per_epoch=1), lambda *_: None)


def test_what_has_a_map_is_judged_whatever_is_beside_it(data: DataConfig) -> None:
    assert data.root is not None
    training = Training.start(config(data, tasks=["instances"], batch_size=3), CPU)
    whole = evaluate_network(training.network, training.config, "test", CPU)
    (data.root / TEST / "0000000002.png").unlink()
    opened.cache_clear()
    rest = evaluate_network(training.network, training.config, "test", CPU)
    name = "test/instances/offset_error_px"
    found = [row.get(name) for row in rest.images]
    expected = [row[name] for row in whole.images]
    assert found[1] is None
    assert found[::2] == pytest.approx(expected[::2], rel=1e-4)
