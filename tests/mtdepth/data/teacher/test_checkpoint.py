"""A teacher on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mtdepth.checkpoint_files import CONFIG, STATE, is_checkpoint
from mtdepth.data.teacher.checkpoint import Teaching, load_teacher
from mtdepth.data.teacher.config import SourceConfig, TeacherConfig
from tests.mtdepth.data.teacher.toys import toy_config

CPU = torch.device("cpu")


@pytest.fixture
def config() -> TeacherConfig:
    return toy_config(SourceConfig(name="kitti", root=Path("here")))


@pytest.fixture
def saved(config: TeacherConfig, tmp_path: Path) -> Path:
    teaching = Teaching.start(config, CPU)
    teaching.epoch = 1
    teaching.save(tmp_path / "teacher")
    return tmp_path / "teacher"


def test_what_is_saved_is_loaded(config: TeacherConfig, saved: Path) -> None:
    assert is_checkpoint(saved)
    assert not is_checkpoint(saved.parent)
    first = Teaching.start(config, CPU).network.state_dict()
    again = Teaching.load(saved, config, CPU)
    teacher = load_teacher(saved, CPU)
    assert again.epoch == 1
    assert not teacher.training
    for name, value in first.items():
        assert torch.equal(again.network.state_dict()[name], value)
        assert torch.equal(teacher.state_dict()[name], value)


def test_the_seed_makes_the_network(config: TeacherConfig) -> None:
    other = config.model_copy(update={"seed": 1})
    name = "backbone.body.conv1.weight"
    one, two = (Teaching.start(c, CPU).network.state_dict()[name] for c in (config, other))
    assert not torch.equal(one, two)


def test_another_training_does_not_go_on(config: TeacherConfig, saved: Path) -> None:
    source = config.source.model_copy(update={"min_area": 5})
    other = config.model_copy(update={"epochs": 9, "source": source})
    expected = (
        "expected a training with source.min_area 5, epochs 9, found one with source.min_area 12, "
        "epochs 2; give another --out"
    )
    with pytest.raises(ValueError, match=expected):
        Teaching.load(saved, other, CPU)
    moved = config.source.model_copy(update={"root": Path("there")})
    Teaching.load(saved, config.model_copy(update={"source": moved}), CPU)


def test_damage_is_told(config: TeacherConfig, saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a checkpoint of a teacher .* found none"):
        load_teacher(tmp_path, CPU)
    for name in ("backbone.body.layer1.0.bn1.running_mean", "backbone.body.conv1.weight"):
        state = torch.load(saved / STATE, weights_only=True)
        state["network"][name].flatten()[0] = torch.nan
        torch.save(state, saved / STATE)
        with pytest.raises(ValueError, match=f"finite weights, found NaN in {name}"):
            load_teacher(saved, CPU)
    torch.save({"network": {}}, saved / STATE)
    with pytest.raises(ValueError, match="found not all of epoch, network, optimizer"):
        load_teacher(saved, CPU)
    (saved / STATE).write_bytes(b"half")
    with pytest.raises(ValueError, match="expected a whole checkpoint, found what torch"):
        Teaching.load(saved, config, CPU)
    (saved / CONFIG).write_text('{"epochs": 0}')
    with pytest.raises(
        ValueError, match=r"config.json: expected the configuration of a teacher.*epochs"
    ):
        load_teacher(saved, CPU)
