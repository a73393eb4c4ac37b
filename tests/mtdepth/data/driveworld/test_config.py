"""What a Driveworld can be told, and the fingerprint of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mtdepth.data.driveworld.config import DriveworldConfig

OTHERWISE: dict[str, Any] = {
    "width": 224,
    "height": 96,
    "num_train_drives": 41,
    "num_val_drives": 9,
    "num_test_drives": 9,
    "num_frames": 13,
    "seed": 1,
    "supersampling": 1,
    "fps": 12.5,
    "lidar": False,
}


def test_the_fingerprint_differs_wherever_a_field_does() -> None:
    assert set(OTHERWISE) == set(DriveworldConfig.model_fields)
    configs = [DriveworldConfig(**{name: value}) for name, value in OTHERWISE.items()]
    fingerprints = {config.fingerprint() for config in [DriveworldConfig(), *configs]}
    assert len(fingerprints) == len(OTHERWISE) + 1
    assert all(len(x) == 12 and int(x, 16) >= 0 for x in fingerprints)


def test_the_fingerprint_is_of_values() -> None:
    told = DriveworldConfig(fps=10, seed=0)
    assert told.fingerprint() == DriveworldConfig().fingerprint()
    again = DriveworldConfig.model_validate_json(told.model_dump_json())
    assert again.fingerprint() == told.fingerprint()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 100),
        ("height", 0),
        ("num_train_drives", 0),
        ("num_val_drives", -1),
        ("num_frames", 2),
        ("seed", -1),
        ("supersampling", 9),
        ("fps", 0),
        ("fps", float("inf")),
        ("rain", True),
    ],
)
def test_what_cannot_be_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        DriveworldConfig.model_validate({name: value})


def test_drives_are_counted() -> None:
    config = DriveworldConfig(num_train_drives=3, num_val_drives=2, num_test_drives=1)
    assert config.num_drives == 6
