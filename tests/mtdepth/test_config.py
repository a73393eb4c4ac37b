"""The configuration: knows its own fields only, cannot be changed, and says what each is for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from mtdepth.config import DataConfig, TrainConfig

TOLD: dict[str, Any] = {
    "data": {"name": "kitti", "root": "somewhere/kitti", "split": "eigen_zhou", "width": 640},
    "tasks": ["instances"],
    "encoder": {"width": 16, "weights": "none"},
    "weighting": {"name": "dwa", "temperature": 3},
    "max_steps_per_epoch": 7,
    "seed": 5,
}


def nested(path: str, value: Any) -> dict[str, Any]:
    """`a.b` and 1 as {"a": {"b": 1}}."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def parts(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from parts(field.annotation)


WRONG: list[tuple[str, Any, str]] = [
    ("optimizer.lrr", 1, "Extra inputs are not permitted"),
    ("data.driveworld.weather", "rain", "Extra inputs are not permitted"),
    ("epochs", "many", "should be a valid integer"),
    ("epochs", 1.5, "should be a valid integer"),
    ("epochs", 0, "greater than or equal to 1"),
    ("tasks", "depth", "should be a valid tuple"),
    ("tasks", [], "at least 1 item"),
    ("tasks", ["pose"], "'depth' or 'instances'"),
    ("tasks", ["depth", "depth"], "expected each task once, found ['depth', 'depth']"),
    ("optimizer.lr", 0, "greater than 0"),
    ("optimizer.lr", float("nan"), "finite number"),
    ("optimizer.lr_gamma", 1.5, "less than or equal to 1"),
    (
        "weighting.name",
        "gradnorm",
        "'famo', 'upgrad', 'pcgrad', 'cagrad', 'imtl-g', 'aligned-mtl' or 'nash'",
    ),
    ("weighting.init_log_variance", float("inf"), "finite number"),
    ("depth.min_m", 100, "expected min_m < max_m, found 100.0 and 100.0"),
    ("depth.ssim", 1.1, "less than or equal to 1"),
    ("data.height", 72, "multiple of 32"),
    ("data.height", 32, "greater than or equal to 64"),
    ("data.name", "nuscenes", "'driveworld', 'kitti', 'kitti-odometry' or 'cityscapes'"),
    ("data.mix", [{"name": "kitti", "height": 64}], "Extra inputs are not permitted"),
    ("data.driveworld.width", 100, "multiple of 32"),
    ("data.driveworld.num_frames", 2, "greater than or equal to 3"),
    ("encoder.width", 12, "multiple of 8"),
    ("offsets.factor", 0, "greater than 0"),
    ("optics.xi", 1, "less than 1"),
    ("optics.method", "kmeans", "'optics', 'optics-sklearn', 'dbscan' or 'hdbscan'"),
    ("optics.min_samples", 1, "greater than or equal to 2"),
    ("optics.eps", 2.5, "expected eps <= max_eps, found 2.5 and 2.0"),
    ("seed", -1, "greater than or equal to 0"),
]


@pytest.mark.parametrize(("path", "value", "problem"), WRONG)
def test_what_is_wrong_is_refused_at_its_place(path: str, value: Any, problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TrainConfig.model_validate(nested(path, value))
    error = caught.value.errors()[0]
    place = ".".join(map(str, error["loc"]))
    assert place.startswith(path) or path.startswith(place)
    assert problem in error["msg"]


def test_the_defaults_are_valid_when_told() -> None:
    assert TrainConfig.model_validate(TrainConfig().model_dump(mode="json")) == TrainConfig()


def test_kitti_is_seen_as_monodepth2_does_and_validated_on_other_drives() -> None:
    data = DataConfig.model_validate({"name": "kitti", "root": "k"})
    assert (data.height, data.width, data.split) == (192, 640, "eigen_zhou_by_drive")
    told = DataConfig(name="kitti", split="eigen_zhou", height=64, width=192)
    assert (told.height, told.width, told.split) == (64, 192, "eigen_zhou")
    assert TrainConfig.model_validate({"data": {"name": "cityscapes"}}).data.width == 512
    own = DataConfig()
    assert (own.height, own.width, own.split) == (64, 192, "driveworld")


@pytest.mark.parametrize("told", [{}, TOLD])
def test_a_configuration_survives_json(told: dict[str, Any]) -> None:
    config = TrainConfig.model_validate(told)
    again = TrainConfig.model_validate_json(config.model_dump_json())
    assert again == config
    assert again.model_dump_json() == config.model_dump_json()
    assert hash(again) == hash(config)


def test_it_cannot_be_changed() -> None:
    config = TrainConfig()
    with pytest.raises(ValidationError, match="frozen"):
        config.epochs = 3  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        config.optimizer.lr = 3  # type: ignore[misc]


@pytest.mark.parametrize("part", list(dict.fromkeys(parts(TrainConfig))), ids=lambda x: x.__name__)
def test_each_field_says_what_it_is(part: type[BaseModel]) -> None:
    assert part.__doc__
    for name, field in part.model_fields.items():
        is_part = isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        assert field.description or is_part, f"{part.__name__}.{name} has no docstring"


def test_importing_it_imports_nothing_heavy() -> None:
    program = (
        "import sys, mtdepth.config, mtdepth.metrics.names\n"
        "print([x for x in ('torch', 'numpy', 'PIL', 'ray') if x in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr
