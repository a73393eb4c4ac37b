import math

import pytest
import torch

from mtdepth.config import WeightingConfig
from mtdepth.weighting import Weighting, make_weighting

TASKS = ("depth", "instances")


def weighting_of(name: str, **options: float) -> Weighting:
    return make_weighting(TASKS, WeightingConfig.model_validate({"name": name, **options}))


def test_equal_is_the_sum() -> None:
    losses = {"depth": torch.tensor(0.25), "instances": torch.tensor(2.0)}
    assert weighting_of("equal")(losses).item() == pytest.approx(2.25)


def test_dwa_by_hand() -> None:
    weighting = weighting_of("dwa", temperature=2.0)
    assert weighting.weights().tolist() == [1, 1]
    weighting.end_epoch({"depth": 1.0, "instances": 2.0})
    assert weighting.weights().tolist() == [1, 1]
    weighting.end_epoch({"depth": 0.5, "instances": 2.0})
    slow, fast = math.exp(1.0 / 2), math.exp(0.5 / 2)
    expected = [2 * fast / (slow + fast), 2 * slow / (slow + fast)]
    assert weighting.weights().tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("before", "last"), [(0.0, 0.0), (1e-42, 0.1), (1e-19, 0.1), (-1e-7, 0.1)])
def test_dwa_takes_a_loss_of_next_to_nothing(before: float, last: float) -> None:
    weighting = weighting_of("dwa")
    weighting.end_epoch({"depth": before, "instances": 1.0})
    weighting.end_epoch({"depth": last, "instances": 1.0})
    assert weighting.weights().tolist() == pytest.approx([1, 1])


def test_uncertainty_by_hand() -> None:
    weighting = weighting_of("uncertainty", init_log_variance=math.log(4))
    losses = {"depth": torch.tensor(8.0), "instances": torch.tensor(16.0)}
    assert weighting(losses).item() == pytest.approx(8 / 8 + 16 / 8 + 2 * math.log(2))
    assert weighting.weights().tolist() == pytest.approx([1 / 8, 1 / 8])


def test_uncertainty_settles_where_variance_equals_the_loss() -> None:
    weighting = weighting_of("uncertainty")
    optimizer = torch.optim.Adam(weighting.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        weighting({"depth": torch.tensor(0.1), "instances": torch.tensor(3.0)}).backward()
        optimizer.step()
    assert (1 / (2 * weighting.weights())).tolist() == pytest.approx([0.1, 3.0], rel=1e-2)
