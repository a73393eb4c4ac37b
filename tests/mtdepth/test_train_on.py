"""A training that learns from the validation split as well, and is not judged on it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from mtdepth.calibrate import calibrate
from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.mixture import Mixture, open_training
from mtdepth.data.prepare import main as prepare
from mtdepth.evaluate import evaluate
from mtdepth.metrics.names import evaluation_names, training_names
from mtdepth.train import fit
from tests.mtdepth.batches import LEARNING


def both(data: DataConfig, **changes: Any) -> DataConfig:
    return data.model_copy(update={"train_on": "train+val", **changes})


def config(data: DataConfig, **changes: Any) -> TrainConfig:
    return TrainConfig.model_validate({**LEARNING, "data": data, "epochs": 2, **changes})


def targets(data: SplitData | Mixture, indices: list[int]) -> set[bytes]:
    frames = data.batch(indices, neighbours=False).frames
    return {frame.numpy().tobytes() for frame in frames[:, 0]}


@pytest.fixture
def pack(tiny_data: DataConfig, tmp_path: Path) -> DataConfig:
    told = ["driveworld", "--root", str(tiny_data.root), "--split", "driveworld"]
    assert prepare([*told, "--size", "192x64", "--out", str(tmp_path / "pack")]) == 0
    return tiny_data.model_copy(update={"root": tmp_path / "pack"})


@pytest.mark.parametrize("form", ["raw", "pack"])
def test_an_epoch_has_each_sample_of_both_splits_once(
    form: str, tiny_data: DataConfig, request: pytest.FixtureRequest
) -> None:
    data = tiny_data if form == "raw" else request.getfixturevalue("pack")
    train, val = open_split(data, "train"), open_split(data, "val")
    joined = open_training(both(data))
    assert len(joined) == len(train) + len(val)
    orders = [list(joined.order(3, 1, epoch)) for epoch in (1, 2)]
    assert orders[0] != orders[1]
    assert orders[0] == list(joined.order(3, 1, 1)), "it follows from seed and epoch"
    for order in orders:
        assert sorted(i for batch in order for i in batch) == list(range(len(joined)))
    own = targets(train, list(range(len(train)))) | targets(val, list(range(len(val))))
    assert targets(joined, list(range(len(joined)))) == own


def test_the_splits_are_opened_once_for_all_trainings(tiny_data: DataConfig) -> None:
    joined = open_training(both(tiny_data))
    assert isinstance(joined, Mixture)
    assert joined.parts == [open_split(tiny_data, "train"), open_split(tiny_data, "val")]


def test_others_are_mixed_in_by_what_both_splits_have(tiny_data: DataConfig) -> None:
    mix = DataConfig.model_validate(
        {**tiny_data.model_dump(), "mix": [{"name": "driveworld", "root": tiny_data.root}]}
    ).mix
    num_own = len(open_training(both(tiny_data)))
    assert len(open_training(both(tiny_data, mix=mix))) == 2 * num_own


def test_it_is_not_judged_on_what_it_learned_from(tiny_data: DataConfig, tmp_path: Path) -> None:
    told = config(both(tiny_data), tasks=["depth", "instances"])
    reported: list[dict[str, float]] = []

    def report(metrics: dict[str, float], checkpoint: Path) -> None:
        reported.append(metrics)
        shutil.copytree(checkpoint, tmp_path / str(len(reported)))

    fit(told, report)
    assert evaluation_names(told, "val") == []
    assert set(reported[-1]) == {"epoch", *training_names(told)}
    assert evaluate(tmp_path / "2", "test").metrics.keys() == set(evaluation_names(told, "test"))
    resumed: list[dict[str, float]] = []
    fit(told, lambda metrics, _: resumed.append(metrics), resume_from=tmp_path / "1")
    same = [{k: v for k, v in m.items() if k != "train/seconds"} for m in (reported[-1], *resumed)]
    assert same[0] == same[1]
    alone: list[dict[str, float]] = []
    fit(config(tiny_data, epochs=1), lambda metrics, _: alone.append(metrics))
    assert alone[0]["train/loss"] != reported[0]["train/loss"]


def test_steps_over_both_splits_are_counted(tiny_data: DataConfig) -> None:
    torch.set_num_threads(1)
    told = config(tiny_data, batch_size=3, max_steps_per_epoch=None)
    found = calibrate(told)
    assert found.steps_with_val == len(list(open_training(both(tiny_data)).order(3, 1, 1)))
    assert calibrate(config(tiny_data, batch_size=3, max_steps_per_epoch=1)).steps_with_val == 1
