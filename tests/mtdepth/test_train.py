"""Training: the same however it is interrupted, honest when it diverges, and it learns."""

from __future__ import annotations

import errno
import math
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from mtdepth.checkpoint import Training
from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data.loader import open_split
from mtdepth.evaluate import Evaluation
from mtdepth.metrics.names import evaluation_names, training_names
from mtdepth.model.network import Network
from mtdepth.train import CHECKED_STEPS, TrainingDiverged, _second_look, fit, train_epoch
from mtdepth.weighting import METHODS
from tests.mtdepth.batches import LEARNING, random_batch, small_config

SLIM: dict[str, Any] = {**LEARNING, "epochs": 3, "max_val_samples": 3}


class Listener:
    """Keeps what is reported, and every checkpoint."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.epochs: list[dict[str, float]] = []

    def __call__(self, metrics: dict[str, float], checkpoint_dir: Path, /) -> None:
        self.epochs.append({k: v for k, v in metrics.items() if k != "train/seconds"})
        shutil.copytree(checkpoint_dir, self.directory / str(len(self.epochs)))


def config(data: DataConfig, **changes: Any) -> TrainConfig:
    return TrainConfig.model_validate({**SLIM, "data": data, **changes})


@pytest.mark.parametrize(
    ("weighting", "last_epoch"), [*((name, 1) for name in METHODS), ("dwa", 2), ("uncertainty", 2)]
)
def test_interrupted_and_resumed_it_ends_the_same(
    tiny_data: DataConfig, tmp_path: Path, weighting: str, last_epoch: int
) -> None:
    told = config(tiny_data, weighting={"name": weighting})
    whole, resumed = Listener(tmp_path / "whole"), Listener(tmp_path / "resumed")
    fit(told, whole)
    fit(told, resumed, resume_from=tmp_path / "whole" / str(last_epoch))
    assert resumed.epochs == whole.epochs[last_epoch:]


def test_a_second_look_leaves_the_network_as_it_was() -> None:
    training, batch = Training.start(small_config(), torch.device("cpu")), random_batch()
    training.network.train()
    before = {name: value.clone() for name, value in training.network.state_dict().items()}
    losses = _second_look(training, batch, batch)
    assert not any(loss.requires_grad for loss in losses.values())
    after = training.network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_the_seed_decides(tiny_data: DataConfig, tmp_path: Path) -> None:
    told = {"tasks": ["depth"], "epochs": 1}
    runs = [Listener(tmp_path / name) for name in "abc"]
    for listener, seed in zip(runs, (0, 0, 1), strict=True):
        fit(config(tiny_data, seed=seed, **told), listener)
    assert runs[0].epochs == runs[1].epochs != runs[2].epochs


@pytest.mark.parametrize("tasks", [["depth"], ["instances"], ["depth", "instances"]])
def test_an_epoch_tells_what_is_promised(
    tiny_data: DataConfig, tmp_path: Path, tasks: list[str]
) -> None:
    told = config(tiny_data, tasks=tasks, epochs=1)
    listener = Listener(tmp_path)
    fit(told, listener)
    promised = {*evaluation_names(told, "val"), *training_names(told), "epoch"} - {"train/seconds"}
    regions = {name for name in promised if name.count("/") == 3}
    assert promised - regions <= set(listener.epochs[0]) <= promised
    assert listener.epochs[0]["epoch"] == 1


def test_a_loss_that_is_not_finite_ends_it_at_once(tiny_data: DataConfig, tmp_path: Path) -> None:
    listener = Listener(tmp_path)
    with pytest.raises(TrainingDiverged, match=r"expected finite losses, found .* in epoch 1"):
        fit(config(tiny_data, optimizer={"lr": 1e30}, max_steps_per_epoch=20), listener)
    assert listener.epochs == []


@pytest.mark.parametrize("num_steps", [1, 2 * CHECKED_STEPS])
def test_one_loss_that_is_not_finite_is_found(
    tiny_data: DataConfig, num_steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if it was the only one, and that of the epoch's only step; soon, and not at the end."""
    told, device = config(tiny_data, batch_size=1), torch.device("cpu")
    taken: list[int] = []

    def step(*_: object) -> torch.Tensor:
        taken.append(len(taken))
        return torch.tensor([math.inf if len(taken) == 1 else 1.0, 1.0, math.nan])

    monkeypatch.setattr("mtdepth.train.train_step", step)
    data = open_split(told.data, "train")
    monkeypatch.setattr(data, "order", lambda *_: [[0]] * num_steps)
    training = Training.start(told.model_copy(update={"max_steps_per_epoch": None}), device)
    with pytest.raises(TrainingDiverged, match="found depth 1, instances nan on average in epoch"):
        train_epoch(training, data, device)
    assert len(taken) == min(num_steps, CHECKED_STEPS)
    assert training.epoch == 0


def test_a_checkpoint_is_written_while_its_network_is_judged(
    tiny_data: DataConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(2, timeout=60)
    save = Training.save

    def meet_and_save(training: Training, directory: Path) -> None:
        meeting.wait()
        save(training, directory)

    def meet_and_judge(*_: object) -> Evaluation:
        meeting.wait()
        return Evaluation(metrics={"val/depth/abs_rel": 0.5}, images=[])

    monkeypatch.setattr(Training, "save", meet_and_save)
    monkeypatch.setattr("mtdepth.train.evaluate_network", meet_and_judge)
    listener = Listener(tmp_path)
    fit(config(tiny_data, epochs=1), listener)
    assert listener.epochs[0]["val/depth/abs_rel"] == 0.5
    assert (tmp_path / "1" / "state.pt").is_file()


def test_one_that_cannot_be_written_ends_it(
    tiny_data: DataConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Training, "save", fail)
    listener = Listener(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        fit(config(tiny_data), listener)
    assert listener.epochs == []


def test_bfloat16_trains_resumes_and_judges_in_float32(
    tiny_data: DataConfig, tmp_path: Path
) -> None:
    told = config(tiny_data, precision="bf16", epochs=2)
    whole, resumed = Listener(tmp_path / "whole"), Listener(tmp_path / "resumed")
    fit(told, whole)
    fit(told, resumed, resume_from=tmp_path / "whole" / "1")
    assert resumed.epochs == whole.epochs[1:]
    single = Listener(tmp_path / "single")
    fit(config(tiny_data, epochs=1), single)
    name = "train/depth/loss"
    assert whole.epochs[0][name] != single.epochs[0][name]
    assert whole.epochs[0][name] == pytest.approx(single.epochs[0][name], rel=1e-2)
    network = Training.load(tmp_path / "whole" / "1", told, torch.device("cpu")).network
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    lower, same = network, Network(told.model_copy(update={"precision": "fp32"}))
    same.load_state_dict(lower.state_dict())
    image = random_batch(height=64, width=192).target
    assert torch.equal(lower.predict(image).depth_m, same.predict(image).depth_m)


def test_a_batch_larger_than_the_split_is_refused(tiny_data: DataConfig, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="batch_size: expected at most the 9 samples"):
        fit(config(tiny_data, batch_size=10), Listener(tmp_path))


def test_depth_and_offsets_are_learned(tiny_data: DataConfig, tmp_path: Path) -> None:
    """The small form of what the default study must show: three streets, learned by heart."""
    told = config(
        tiny_data.model_copy(update={"split": str(train_as_val(tiny_data, tmp_path))}),
        encoder={"width": 16, "weights": "none"},
        decoder={"width": 8, "disparity_bias": -3},
        offsets={"background": "balanced", "factor": 0.1},
        epochs=2,
        batch_size=3,
        max_steps_per_epoch=None,
        max_val_samples=None,
    )
    listener = Listener(tmp_path / "checkpoints")
    fit(told, listener)
    last = listener.epochs[-1]
    assert last["val/depth/log_corr"] > 0.7
    assert last["val/depth/a1"] > last["val/depth/constant_a1"]
    assert last["val/depth/photometric"] < last["val/depth/identity_photometric"]
    assert last["val/instances/offset_error_px"] < 0.97 * last["val/instances/zero_offset_error_px"]
    assert all(math.isfinite(value) for value in last.values())


def train_as_val(data: DataConfig, directory: Path, repeats: int = 20) -> Path:
    """A split that trains on its few samples again and again, and validates on the same."""
    assert data.root is not None
    lines = (data.root / "splits/driveworld/train_files.txt").read_text()
    split = directory / "by-heart"
    split.mkdir()
    (split / "train_files.txt").write_text(lines * repeats)
    for name in ("val", "test"):
        (split / f"{name}_files.txt").write_text(lines)
    return split
