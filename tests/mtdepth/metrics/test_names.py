"""Names follow from what is learned and from what there is to judge by."""

from __future__ import annotations

import pytest

from mtdepth.config import TrainConfig
from mtdepth.metrics.names import Truth, evaluation_names, higher_is_better, training_names


def names(tasks: list[str], **truth: bool) -> set[str]:
    config = TrainConfig.model_validate({"tasks": tasks})
    return set(evaluation_names(config, "val", Truth(**truth)))


def test_a_task_that_is_not_learned_has_no_metrics() -> None:
    assert not any("instances" in name for name in names(["depth"]))
    assert all(name.startswith("val/instances/") for name in names(["instances"]))
    assert names(["depth"]) | names(["instances"]) == names(["depth", "instances"])


@pytest.mark.parametrize(
    ("lacking", "gone"),
    [
        ("depth", "val/depth/abs_rel"),
        ("motion", "val/depth/comoving/abs_rel"),
        ("neighbours", "val/depth/photometric"),
        ("motion", "val/depth/comoving/num_images"),
        ("poses", "val/pose/ate"),
        ("poses", "val/pose/ate_full"),
        ("instances", "val/instances/ap50"),
        ("instances", "val/instances/pq"),
    ],
)
def test_what_cannot_be_judged_is_not_promised(lacking: str, gone: str) -> None:
    assert gone in names(["depth", "instances"])
    assert gone not in names(["depth", "instances"], **{lacking: False})


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        ("val/depth/abs_rel", False),
        ("test/depth/comoving/hole_rate", False),
        ("test/depth/comoving/a1", True),
        ("val/pose/rpe_deg", False),
        ("val/instances/ap50", True),
        ("val/instances/pq", True),
        ("val/instances/offset_error_px", False),
        ("val/depth/log_corr", True),
        ("train/loss", False),
    ],
)
def test_which_way_is_better(name: str, higher: bool) -> None:
    assert higher_is_better(name) is higher


def test_training_tells_each_task() -> None:
    assert "train/instances/weight" in training_names(TrainConfig())
