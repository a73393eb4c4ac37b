"""The two files of a checkpoint: what is written is read, and what is damaged is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mtdepth.checkpoint_files import (
    CONFIG,
    STATE,
    WEIGHTS,
    is_checkpoint,
    read_config,
    read_state,
    read_tensors,
    read_weights,
    state_path,
    write_checkpoint,
    write_weights,
)
from mtdepth.config import AugmentationConfig, EncoderConfig

SETTINGS = AugmentationConfig(flip=0.25)
CPU = torch.device("cpu")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "x", SETTINGS, {"weights": torch.arange(3.0), "epoch": 2})
    return tmp_path / "x"


def test_what_is_written_is_read(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == [CONFIG, STATE]
    assert read_config(saved, AugmentationConfig, "a toy") == SETTINGS
    state = read_state(saved, {"epoch"}, CPU)
    assert state["epoch"] == 2
    assert state["weights"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("lost", [CONFIG, STATE])
def test_half_a_checkpoint_is_none(saved: Path, lost: str) -> None:
    assert is_checkpoint(saved)
    (saved / lost).unlink()
    assert not is_checkpoint(saved)
    expected = (
        rf"{saved}: expected a checkpoint of a toy \(config.json, and state.pt or "
        r"network.safetensors\), found none"
    )
    with pytest.raises(ValueError, match=expected):
        read_config(saved, AugmentationConfig, "a toy")


def test_another_configuration_is_told(saved: Path) -> None:
    expected = r"config.json: expected the configuration of a toy, found: flip: Extra inputs"
    with pytest.raises(ValueError, match=expected):
        read_config(saved, EncoderConfig, "a toy")


def test_a_state_that_lacks_something_or_is_cut_off_is_told(saved: Path) -> None:
    with pytest.raises(ValueError, match="whole checkpoint, found not all of epoch, optimizer"):
        read_state(saved, {"optimizer", "epoch"}, CPU)
    torch.save([1], saved / STATE)
    with pytest.raises(ValueError, match="whole checkpoint, found not all of epoch"):
        read_state(saved, {"epoch"}, CPU)
    (saved / STATE).write_bytes((saved / STATE).read_bytes()[:100])
    with pytest.raises(
        ValueError, match=r"state.pt: expected a whole checkpoint, found what torch"
    ):
        read_state(saved, {"epoch"}, CPU)


def test_code_is_not_run(tmp_path: Path) -> None:
    torch.save(SETTINGS, tmp_path / "object.pt")
    with pytest.raises(ValueError, match=r"expected tensors, found what torch .*\(Unpickling"):
        read_tensors(tmp_path / "object.pt", "tensors")


def test_weights_are_read_as_they_were_written_and_take_the_place_of_a_training(
    saved: Path,
) -> None:
    assert state_path(saved).name == STATE
    weights = {"b": torch.arange(3.0), "a": torch.tensor(7), "c": torch.zeros(2, 3, 4)}
    write_weights(saved, SETTINGS, weights)
    assert sorted(path.name for path in saved.iterdir()) == [CONFIG, WEIGHTS]
    assert is_checkpoint(saved)
    assert state_path(saved).name == WEIGHTS
    found = read_weights(saved, CPU)
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], weights[name]) for name in weights)


@pytest.mark.parametrize("num_bytes", [0, 5, 50, -1])
def test_damaged_weights_are_told_in_a_line(tmp_path: Path, num_bytes: int) -> None:
    write_weights(tmp_path, SETTINGS, {"a": torch.zeros(2, 3)})
    path = tmp_path / WEIGHTS
    path.write_bytes(path.read_bytes()[:num_bytes])
    with pytest.raises(ValueError, match=rf"^{path}: expected weights as safetensors, found") as e:
        read_weights(tmp_path, CPU)
    assert "\n" not in str(e.value)


def test_a_pickle_by_the_name_of_weights_is_not_run(tmp_path: Path) -> None:
    write_weights(tmp_path, SETTINGS, {})
    torch.save(SETTINGS, tmp_path / WEIGHTS)
    with pytest.raises(ValueError, match="expected weights as safetensors"):
        read_weights(tmp_path, CPU)
