"""Judging a network: which images, which metrics, and no trace of order or batch size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mtdepth.checkpoint import Training
from mtdepth.config import DataConfig, TrainConfig
from mtdepth.evaluate import evaluate, evaluate_network
from mtdepth.metrics.names import Split
from tests.mtdepth.test_train import SLIM

CPU = torch.device("cpu")


def started(data: DataConfig, **changes: object) -> Training:
    return Training.start(TrainConfig.model_validate({**SLIM, "data": data, **changes}), CPU)


def test_batch_size_does_not_matter(tiny_data: DataConfig) -> None:
    training = started(tiny_data, max_val_samples=None)
    found = [
        evaluate_network(
            training.network, training.config.model_copy(update={"batch_size": size}), "val", CPU
        ).metrics
        for size in (1, 4)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-4, abs=1e-6)


def test_a_limit_thins_out_validation_and_nothing_else(tiny_data: DataConfig) -> None:
    training = started(tiny_data, max_val_samples=2)
    num = {
        split: len(evaluate_network(training.network, training.config, split, CPU).images)
        for split in ("val", "test")
    }
    assert num == {"val": 2, "test": 3}


def test_metrics_are_means_over_images(tiny_data: DataConfig) -> None:
    training = started(tiny_data)
    found = evaluate_network(training.network, training.config, "test", CPU)
    values = [row["test/depth/abs_rel"] for row in found.images]
    assert found.metrics["test/depth/abs_rel"] == pytest.approx(sum(values) / len(values))
    assert [str(row["image"]).split()[1] for row in found.images] == ["1", "2", "3"]


def test_a_checkpoint_is_judged_as_its_network_was(tiny_data: DataConfig, tmp_path: Path) -> None:
    training = started(tiny_data)
    training.save(tmp_path)
    before = evaluate_network(training.network, training.config, "test", CPU).metrics
    assert evaluate(tmp_path, "test").metrics == before


def test_real_images_are_judged_against_lidar(kitti: DataConfig) -> None:
    training = started(kitti, optics={"min_offset": 1.0})
    found = evaluate_network(training.network, training.config, "test", CPU)
    assert len(found.images) == 10
    assert found.metrics["test/depth/abs_rel"] > 0
    assert 0 < found.metrics["test/depth/constant_a1"] < 1
    assert found.metrics["test/depth/moving/abs_rel"] > 0
    assert found.metrics["test/depth/moving/num_images"] == 6  # seen two frames before and after
    assert found.metrics["test/depth/comoving/num_images"] == 0
    assert "test/depth/comoving/abs_rel" not in found.metrics


@pytest.mark.parametrize("split", ["val", "test"])
def test_several_threads_judge_as_one_does(
    split: Split, tiny_data: DataConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = started(tiny_data)
    one = evaluate_network(training.network, training.config, split, CPU)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert evaluate_network(training.network, training.config, split, CPU) == one
    assert any("instances" in name for name in one.metrics)
