"""Training from a pack is training from the raw files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data.pack.entries import Codec
from mtdepth.evaluate import evaluate
from mtdepth.train import fit
from tests.mtdepth.batches import LEARNING
from tests.mtdepth.data.pack.packs import at, few, make, request

SLIM: dict[str, Any] = {**LEARNING, "epochs": 2}


def trained(data: DataConfig) -> tuple[list[dict[str, float]], dict[str, float]]:
    """What each epoch reports, and what the last checkpoint gets on the test split."""
    epochs: list[dict[str, float]] = []
    tested: dict[str, float] = {}

    def report(metrics: dict[str, float], checkpoint_dir: Path, /) -> None:
        epochs.append({k: v for k, v in metrics.items() if k != "train/seconds"})
        tested.update(evaluate(checkpoint_dir, "test").metrics)

    fit(TrainConfig.model_validate({**SLIM, "data": data}), report)
    return epochs, tested


def test_a_pack_gives_the_same_metrics_as_the_raw_files(
    tiny_data: DataConfig, tiny_pack: Path
) -> None:
    epochs, tested = trained(tiny_data)
    assert trained(at(tiny_data, tiny_pack)) == (epochs, tested)
    assert len(epochs) == 2
    assert "test/depth/comoving/abs_rel" in tested
    assert "test/pose/ate" in tested


@pytest.mark.parametrize("codec", ["raw", "jpeg"])
def test_the_real_sample_trains_from_a_pack(
    kitti: DataConfig, tmp_path: Path, codec: Codec
) -> None:
    raw = few(kitti, tmp_path / "few")
    make(request(raw, tmp_path / "pack", codec))
    epochs, tested = trained(at(raw, tmp_path / "pack"))
    if codec == "raw":
        assert (epochs, tested) == trained(raw)
    assert 0 < tested["test/depth/abs_rel"] < 2
