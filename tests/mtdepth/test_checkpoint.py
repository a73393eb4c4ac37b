"""Checkpoints: what is loaded is what was saved, and what is broken is told in one line."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest
import torch

from mtdepth.checkpoint import Training, extract_network, load_network
from mtdepth.checkpoint_files import CONFIG, STATE, WEIGHTS
from mtdepth.config import TrainConfig
from mtdepth.losses import task_losses
from mtdepth.train import _step
from tests.mtdepth.batches import random_batch, small_config

CPU = torch.device("cpu")
UNCERTAINTY = {"weighting": {"name": "uncertainty"}}


def train_a_little(training: Training, num_steps: int = 2) -> None:
    for seed in range(num_steps):
        batch = random_batch(seed=seed)
        torch.manual_seed(seed)
        _step(
            training,
            task_losses(training.network(batch.target, batch.sources), batch, training.config),
        )
    training.epoch += 1


def a_training(config: TrainConfig) -> Training:
    training = Training.start(config, CPU)
    train_a_little(training)
    return training


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Training, Path]:
    training = a_training(small_config(**UNCERTAINTY))
    directory = tmp_path_factory.mktemp("checkpoint")
    training.save(directory)
    return training, directory


def copied(directory: Path, to: Path) -> Path:
    for name in (CONFIG, STATE):
        (to / name).write_bytes((directory / name).read_bytes())
    return to


def same(first: object, second: object) -> bool:
    if isinstance(first, torch.Tensor):
        return isinstance(second, torch.Tensor) and torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(v, second[k]) for k, v in first.items())
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


def test_what_is_loaded_is_what_was_saved(saved: tuple[Training, Path]) -> None:
    training, directory = saved
    loaded = Training.load(directory, training.config, CPU)
    assert loaded.epoch == training.epoch == 1
    assert same(loaded.network.state_dict(), training.network.state_dict())
    assert same(loaded.weighting.state_dict(), training.weighting.state_dict())
    assert same(loaded.optimizer.state_dict(), training.optimizer.state_dict())


def test_training_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    training = a_training(small_config(**UNCERTAINTY))
    training.save(tmp_path)
    loaded = Training.load(tmp_path, training.config, CPU)
    train_a_little(training)
    train_a_little(loaded)
    assert same(loaded.network.state_dict(), training.network.state_dict())
    assert same(loaded.weighting.weights(), training.weighting.weights())


def test_a_loaded_network_predicts_the_same(saved: tuple[Training, Path]) -> None:
    training, directory = saved
    network, config = load_network(directory)
    assert config == training.config
    assert not network.training
    images = random_batch(seed=5).target
    expected, found = training.network.predict(images), network.predict(images)
    assert torch.equal(found.depth_m, expected.depth_m)
    assert torch.equal(found.offsets_px, expected.offsets_px)


def test_the_learning_rate_falls_by_the_epoch() -> None:
    changes = {"lr": 1e-3, "pose_lr_factor": 10, "lr_step_epoch": 1, "lr_gamma": 0.5}
    config = small_config(**UNCERTAINTY, optimizer=changes)
    start = Training.start(config, CPU)
    start.set_learning_rate()
    rates = [group["lr"] for group in start.optimizer.param_groups]
    assert rates == pytest.approx([1e-3, 1e-2, 1e-2])
    start.epoch = 2
    start.set_learning_rate()
    assert [g["lr"] for g in start.optimizer.param_groups] == pytest.approx([r / 4 for r in rates])


def test_a_write_that_fails_leaves_the_checkpoint_before(
    saved: tuple[Training, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, directory = saved
    copied(directory, tmp_path)

    def disk_full(state: object, stream: IO[bytes]) -> None:
        stream.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", disk_full)
    with pytest.raises(OSError, match="no space left"):
        Training.start(training.config, CPU).save(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [CONFIG, STATE]
    assert Training.load(tmp_path, training.config, CPU).epoch == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": {"width": 16, "weights": "none"}},
        {"tasks": ["depth"]},
        {"attention": "none"},
        {"weighting": {"name": "equal"}},
    ],
)
def test_a_checkpoint_of_another_network_is_refused(
    saved: tuple[Training, Path], changes: dict[str, object]
) -> None:
    _, directory = saved
    config = small_config(**{**UNCERTAINTY, **changes})
    with pytest.raises(ValueError, match=r"expected a checkpoint with .*, found one with "):
        Training.load(directory, config, CPU)


@pytest.mark.parametrize("missing", [CONFIG, STATE])
def test_a_missing_file_is_told(saved: tuple[Training, Path], tmp_path: Path, missing: str) -> None:
    copied(saved[1], tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(ValueError, match=rf"{tmp_path}: expected a checkpoint .*, found none"):
        load_network(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (STATE, b""),
        (STATE, b"hello, not a checkpoint"),
        (STATE, bytes(range(200, 256)) * 20),
        (CONFIG, b"{"),
        (CONFIG, b'{"tasks": 3}'),
        (CONFIG, b"\xff\xfe"),
    ],
)
def test_a_broken_file_is_told_in_one_line(
    saved: tuple[Training, Path], tmp_path: Path, name: str, content: bytes
) -> None:
    (copied(saved[1], tmp_path) / name).write_bytes(content)
    with pytest.raises(ValueError, match=str(tmp_path / name)) as error:
        load_network(tmp_path)
    assert "\n" not in str(error.value)


def test_a_truncated_state_is_told(saved: tuple[Training, Path], tmp_path: Path) -> None:
    path = copied(saved[1], tmp_path) / STATE
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="expected a whole checkpoint"):
        load_network(tmp_path)


def test_a_state_without_a_network_is_told(saved: tuple[Training, Path], tmp_path: Path) -> None:
    path = copied(saved[1], tmp_path) / STATE
    torch.save({"epoch": 3}, path)
    with pytest.raises(ValueError, match="expected a whole checkpoint"):
        load_network(tmp_path)


@pytest.mark.parametrize(
    ("attention", "pose"),
    [("none", "shared"), ("encoder", "separate"), ("encoder+decoder", "attended")],
)
def test_a_network_taken_out_of_a_training_is_the_same_and_all_that_is_taken(
    tmp_path: Path, attention: str, pose: str
) -> None:
    config = small_config(attention=attention, pose={"encoder": pose})
    training = Training.start(config, CPU)
    train_a_little(training, num_steps=1)
    training.save(tmp_path / "whole")
    assert extract_network(tmp_path / "whole", tmp_path / "out") == config
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [CONFIG, WEIGHTS]
    network, read = load_network(tmp_path / "out")
    assert read == config
    assert same(dict(network.state_dict()), dict(training.network.state_dict()))
    again = Training.load(tmp_path / "out", config, CPU)
    assert again.epoch == 0
    assert not again.optimizer.state_dict()["state"]
    size = [sum(f.stat().st_size for f in (tmp_path / x).iterdir()) for x in ("out", "whole")]
    assert size[0] < 0.5 * size[1], "the optimiser's state was taken along"
