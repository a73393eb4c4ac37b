"""What every weighting promises, whichever way it weighs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from mtdepth.config import WeightingConfig
from mtdepth.weighting import METHODS, Weighting, make_weighting

TASKS = ("depth", "instances")
OPTIONS = {"depth_weight": 0.5, "instances_weight": 2.0, "so_temperature": 2.0}


def weighting_of(name: str, tasks: Sequence[str] = TASKS) -> Weighting:
    return make_weighting(tasks, WeightingConfig.model_validate({"name": name, **OPTIONS}))


def losses_of(*values: float, tasks: Sequence[str] = TASKS) -> dict[str, Tensor]:
    pairs = zip(tasks, values, strict=True)
    return {task: torch.tensor(value, requires_grad=True) for task, value in pairs}


def train_a_little(weighting: Weighting, num_epochs: int = 3, seed: int = 0) -> None:
    """Epochs of two steps, in which each task's loss falls in its own way."""
    torch.manual_seed(seed)
    for epoch in range(num_epochs):
        values = {task: 1 / (1 + epoch * (i + 1)) for i, task in enumerate(sorted(weighting.tasks))}
        losses = {task: torch.tensor(value) for task, value in values.items()}
        for _ in range(2):
            weighting(losses)
            if weighting.looks_back:
                after = {
                    task: loss * (0.5 if task == "depth" else 0.9) for task, loss in losses.items()
                }
                weighting.after_step(after)
        weighting.end_epoch(values)


@pytest.mark.parametrize("name", METHODS)
class TestContract:
    @pytest.mark.parametrize("values", [(0.5, 0.5), (1e-4, 30.0)])
    def test_total_is_a_finite_scalar_with_finite_gradient_to_each_loss(
        self, name: str, values: tuple[float, float]
    ) -> None:
        losses = losses_of(*values)
        total = weighting_of(name)(losses)
        assert total.shape == ()
        assert total.isfinite()
        total.backward()
        for loss in losses.values():
            assert loss.grad is not None
            assert loss.grad.isfinite()
            assert loss.grad >= 0

    def test_losses_of_zero_leave_gradients_finite(self, name: str) -> None:
        losses = losses_of(0.0, 0.25)
        total = weighting_of(name)(losses)
        total.backward()
        assert total.isfinite()
        assert all(loss.grad is not None and loss.grad.isfinite() for loss in losses.values())

    def test_gradient_equals_the_effective_weights(self, name: str) -> None:
        weighting = weighting_of(name)
        train_a_little(weighting)
        losses = losses_of(0.5, 0.25)
        weighting(losses).backward()
        grads = [losses[task].grad.item() for task in TASKS]
        assert grads == pytest.approx(weighting.weights().tolist())

    @pytest.mark.parametrize("num_epochs", [0, 1, 3])
    def test_weights_are_finite_and_without_gradient(self, name: str, num_epochs: int) -> None:
        weighting = weighting_of(name)
        train_a_little(weighting, num_epochs)
        weights = weighting.weights()
        assert weights.shape == (2,)
        assert weights.isfinite().all()
        assert not weights.requires_grad

    def test_it_goes_on_from_its_state_as_if_it_had_not_stopped(self, name: str) -> None:
        weighting, other = weighting_of(name), weighting_of(name)
        train_a_little(weighting)
        weighting(losses_of(0.5, 0.25))  # in the middle of an epoch
        other.load_state_dict(weighting.state_dict())
        assert torch.equal(other.weights(), weighting.weights())
        for goes_on in (weighting, other):
            train_a_little(goes_on, seed=1)
        assert torch.equal(other.weights(), weighting.weights())
        assert weighting.state_dict().keys() == other.state_dict().keys()

    def test_the_order_of_the_tasks_does_not_matter(self, name: str) -> None:
        weighting, reverse = weighting_of(name), weighting_of(name, TASKS[::-1])
        for either in (weighting, reverse):
            train_a_little(either)
        found = reverse.weights().flip(0)
        if name == "rlw":  # its numbers are drawn in the tasks' order
            found = found.flip(0)
        torch.testing.assert_close(found, weighting.weights())

    @pytest.mark.parametrize("nan_task", TASKS)
    def test_nan_stays_visible(self, name: str, nan_task: str) -> None:
        losses = losses_of(1.0, 1.0) | {nan_task: torch.tensor(math.nan)}
        assert weighting_of(name)(losses).isnan()

    def test_a_single_task_works(self, name: str) -> None:
        weighting = weighting_of(name, TASKS[:1])
        train_a_little(weighting)
        losses = losses_of(2.0, tasks=TASKS[:1])
        weighting(losses).backward()
        assert losses["depth"].grad is not None
        assert losses["depth"].grad > 0

    def test_many_tasks_work(self, name: str) -> None:
        tasks = ("depth", "instances", "normals", "edges")
        weighting = weighting_of(name, tasks)
        train_a_little(weighting)
        losses = losses_of(1.0, 2.0, 3.0, 4.0, tasks=tasks)
        weighting(losses).backward()
        assert all(loss.grad is not None and loss.grad > 0 for loss in losses.values())

    def test_two_quadratics_descend_to_between_their_minima(self, name: str) -> None:
        weighting = weighting_of(name)
        torch.manual_seed(0)
        x = torch.tensor([3.0, 2.0], requires_grad=True)
        optimizer = torch.optim.Adam([x, *weighting.parameters()], lr=0.05)

        def both() -> dict[str, Tensor]:
            return {
                "depth": 0.1 + (x - torch.tensor([1.0, 0.0])).square().sum(),
                "instances": 0.1 + (x + torch.tensor([1.0, 0.0])).square().sum(),
            }

        for _ in range(300):
            optimizer.zero_grad()
            weighting(both()).backward()
            optimizer.step()
            if weighting.looks_back:
                with torch.no_grad():
                    weighting.after_step(both())
        assert abs(x[0].item()) <= 1.1
        assert x[1].item() == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("name", ["uncertainty-so", "rlw", "famo"])
def test_weights_sum_to_one(name: str) -> None:
    weighting = weighting_of(name)
    train_a_little(weighting)
    assert weighting.weights().sum().item() == pytest.approx(1)


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].stepwise])
def test_an_epoch_tells_the_mean_of_its_own_steps(name: str) -> None:
    weighting = weighting_of(name)
    assert weighting.weights().tolist() == [0.5, 0.5]
    torch.manual_seed(0)
    for values in [[(0.7, 0.2)], [(0.3, 0.4), (0.1, 0.3)]]:
        seen = []
        for losses in (losses_of(*pair) for pair in values):
            weighting(losses).backward()
            seen.append([losses[task].grad.item() for task in TASKS])
        weighting.end_epoch({"depth": 1.0, "instances": 1.0})
        mean = [sum(column) / len(seen) for column in zip(*seen, strict=True)]
        assert weighting.weights().tolist() == pytest.approx(mean)


def test_an_unknown_method_is_told_with_the_known_ones() -> None:
    config = WeightingConfig.model_construct(name="pcgrad")
    known = "equal, fixed, dwa, uncertainty, uncertainty-so, gls, rlw, famo"
    with pytest.raises(ValueError, match=f"one of {known}, found 'pcgrad'"):
        make_weighting(TASKS, config)
