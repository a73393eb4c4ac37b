import math

import pytest
import torch

from mtdepth.config import WeightingConfig
from mtdepth.weighting import METHODS, Weighting, make_weighting

TASKS = ("depth", "instances")


def weighting_of(name: str, **options: float) -> Weighting:
    return make_weighting(TASKS, WeightingConfig.model_validate({"name": name, **options}))


@pytest.mark.parametrize("name", METHODS)
class TestContract:
    def test_total_is_a_scalar_with_gradient_to_each_loss(self, name: str) -> None:
        losses = {task: torch.tensor(0.5, requires_grad=True) for task in TASKS}
        weighting_of(name)(losses).backward()
        for task in TASKS:
            grad = losses[task].grad
            assert grad is not None
            assert grad > 0

    def test_gradient_equals_the_effective_weights(self, name: str) -> None:
        weighting = weighting_of(name)
        for epoch in range(3):
            weighting.end_epoch({"depth": 1.0 / (epoch + 1), "instances": 0.9**epoch})
        losses = {task: torch.tensor(0.5, requires_grad=True) for task in TASKS}
        weighting(losses).backward()
        grads = [losses[task].grad.item() for task in TASKS]
        assert grads == pytest.approx(weighting.weights().tolist())

    def test_state_survives(self, name: str) -> None:
        weighting, other = weighting_of(name), weighting_of(name)
        for epoch in range(3):
            weighting.end_epoch({"depth": 1.0 / (epoch + 1), "instances": 0.9**epoch})
        other.load_state_dict(weighting.state_dict())
        assert torch.equal(other.weights(), weighting.weights())

    def test_nan_stays_visible(self, name: str) -> None:
        losses = {"depth": torch.tensor(math.nan), "instances": torch.tensor(1.0)}
        assert weighting_of(name)(losses).isnan()

    def test_a_single_task_works(self, name: str) -> None:
        weighting = make_weighting(("depth",), WeightingConfig.model_validate({"name": name}))
        assert weighting({"depth": torch.tensor(2.0)}).isfinite()


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


def test_dwa_takes_a_loss_of_zero() -> None:
    weighting = weighting_of("dwa")
    weighting.end_epoch({"depth": 0.0, "instances": 1.0})
    weighting.end_epoch({"depth": 0.0, "instances": 1.0})
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


def test_an_unknown_method_is_told_with_the_known_ones() -> None:
    config = WeightingConfig.model_construct(name="pcgrad")
    with pytest.raises(ValueError, match="one of equal, dwa, uncertainty, found 'pcgrad'"):
        make_weighting(TASKS, config)
