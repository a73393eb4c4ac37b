import pytest
import torch

from mtdepth.config import WeightingConfig
from mtdepth.weighting.fixed import Fixed

CONFIG = WeightingConfig(name="fixed", depth_weight=0.25, instances_weight=3.0)


def test_each_loss_has_the_weight_that_was_set() -> None:
    losses = {"depth": torch.tensor(8.0), "instances": torch.tensor(2.0)}
    assert Fixed(("depth", "instances"), CONFIG)(losses).item() == pytest.approx(2 + 6)


def test_weights_belong_to_tasks_and_not_to_places() -> None:
    assert Fixed(("instances", "depth"), CONFIG).weights().tolist() == [3.0, 0.25]
    assert Fixed(("instances",), CONFIG).weights().tolist() == [3.0]


@pytest.mark.parametrize("weight", [0, -1, float("nan")])
def test_a_weight_that_teaches_nothing_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="depth_weight"):
        WeightingConfig.model_validate({"name": "fixed", "depth_weight": weight})
