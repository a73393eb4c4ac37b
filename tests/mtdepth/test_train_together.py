"""A training by two processes is that of one: its losses, its checkpoints, its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mtdepth.calibrate import calibrate
from mtdepth.config import DataConfig, TrainConfig
from mtdepth.train import TrainingDiverged, fit
from tests.mtdepth.batches import LEARNING
from tests.mtdepth.test_train import Listener


def config(data: DataConfig, **changes: Any) -> TrainConfig:
    slim = {**LEARNING, "batch_size": 4, "epochs": 2, "max_val_samples": 3, "data": data}
    return TrainConfig.model_validate({**slim, "optimizer": {"lr": 1e-4}, **changes})


@pytest.mark.parametrize("tasks", [["depth"], ["depth", "instances"]])
def test_the_losses_of_each_epoch_are_those_of_one_process(
    tiny_data: DataConfig, tmp_path: Path, tasks: list[str]
) -> None:
    told = config(tiny_data, tasks=tasks, weighting={"name": "uncertainty"})
    one, two = Listener(tmp_path / "one"), Listener(tmp_path / "two")
    fit(told, one)
    fit(told, two, processes=2)
    assert len(one.epochs) == len(two.epochs) == 2
    for expected, found in zip(one.epochs, two.epochs, strict=True):
        assert set(found) == set(expected)
        for name in (name for name in expected if name.startswith("train/")):
            assert found[name] == pytest.approx(expected[name], rel=1e-5)
        assert found["val/depth/abs_rel"] == pytest.approx(expected["val/depth/abs_rel"], rel=1e-3)


def test_interrupted_and_resumed_it_ends_the_same_by_two_and_nearly_so_by_one(
    tiny_data: DataConfig, tmp_path: Path
) -> None:
    told = config(tiny_data, weighting={"name": "dwa"}, tasks=["depth", "instances"])
    whole, resumed, alone = (Listener(tmp_path / name) for name in ("whole", "resumed", "alone"))
    fit(told, whole, processes=2)
    fit(told, resumed, tmp_path / "whole" / "1", processes=2)
    assert resumed.epochs == whole.epochs[1:]
    fit(told, alone, tmp_path / "whole" / "1")
    losses = ("train/depth/loss", "train/instances/loss")
    for name in losses:
        assert alone.epochs[0][name] == pytest.approx(whole.epochs[1][name], rel=1e-5)


def test_a_loss_that_is_not_finite_ends_all(tiny_data: DataConfig, tmp_path: Path) -> None:
    told = config(tiny_data, optimizer={"lr": 1e30}, max_steps_per_epoch=20, tasks=["instances"])
    with pytest.raises(TrainingDiverged, match=r"expected finite losses, found .* in epoch"):
        fit(told, Listener(tmp_path), processes=2)


def test_a_batch_that_cannot_be_divided_is_refused(tiny_data: DataConfig, tmp_path: Path) -> None:
    for work in (
        lambda told: fit(told, Listener(tmp_path), processes=2),
        lambda told: calibrate(told, processes=2),
    ):
        with pytest.raises(ValueError, match=r"^batch_size: expected a multiple of 2, .* found 3$"):
            work(config(tiny_data, batch_size=3))


def test_what_it_costs_is_measured_by_as_many_processes(tiny_data: DataConfig) -> None:
    found = calibrate(config(tiny_data, tasks=["depth"]), 1, processes=2)
    assert (found.steps_an_epoch, found.num_val_images) == (2, 3)
    assert found.seconds_a_step > 0
    assert found.seconds_an_image > 0
    assert found.memory_bytes > 2 * 2**27, "of both"
