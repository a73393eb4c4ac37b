"""What every weighting promises, whichever way it weighs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor, nn

from mtdepth.config import WeightingConfig
from mtdepth.weighting import METHODS, Weighting, make_weighting

TASKS = ("depth", "instances")
DIRECTIONS = {
    "depth": [1.0, 0.1, 0.0, -0.2],
    "instances": [-0.3, 1.0, 0.2, 0.0],
    "normals": [0.0, -0.2, 1.0, 0.1],
    "edges": [0.1, 0.0, -0.4, 1.0],
}
"""The gradient of each task's loss."""
OPTIONS = {"depth_weight": 0.5, "instances_weight": 2.0, "so_temperature": 2.0}


def weighting_of(name: str, tasks: Sequence[str] = TASKS) -> Weighting:
    return make_weighting(tasks, WeightingConfig.model_validate({"name": name, **OPTIONS}))


def step(weighting: Weighting, losses: Mapping[str, float]) -> tuple[Tensor, Tensor]:
    """The total of a step, and the weights (T,) that a shared parameter feels in its gradient."""
    x = nn.Parameter(torch.zeros(4))
    directions = torch.tensor([DIRECTIONS[task] for task in weighting.tasks])
    slopes = directions @ x
    total = weighting.backward(
        {task: losses[task] + slopes[i] for i, task in enumerate(weighting.tasks)}, [x]
    )
    assert x.grad is not None
    return total, torch.linalg.lstsq(directions.T, x.grad[:, None]).solution[:, 0]


def train_a_little(weighting: Weighting, num_epochs: int = 3, seed: int = 0) -> None:
    """Epochs of two steps, in which each task's loss falls in its own way."""
    torch.manual_seed(seed)
    for epoch in range(num_epochs):
        losses = {task: 1 / (1 + epoch * (i + 1)) for i, task in enumerate(sorted(weighting.tasks))}
        for _ in range(2):
            step(weighting, losses)
            if weighting.looks_back:
                fell = {"depth": 0.5}
                weighting.after_step(
                    {t: torch.tensor(loss * fell.get(t, 0.9)) for t, loss in losses.items()}
                )
        weighting.end_epoch(losses)


@pytest.mark.parametrize("name", METHODS)
class TestContract:
    @pytest.mark.parametrize("values", [(0.5, 0.5), (1e-4, 30.0), (0.0, 0.25)])
    def test_total_is_a_finite_scalar_and_gradients_are_finite(
        self, name: str, values: tuple[float, float]
    ) -> None:
        total, weights = step(weighting_of(name), dict(zip(TASKS, values, strict=True)))
        assert total.shape == ()
        assert total.isfinite()
        assert not total.requires_grad
        assert weights.isfinite().all()
        assert (weights >= -1e-6).all()

    def test_gradient_equals_the_effective_weights(self, name: str) -> None:
        weighting = weighting_of(name)
        train_a_little(weighting)
        _, felt = step(weighting, {"depth": 0.5, "instances": 0.25})
        assert felt.tolist() == pytest.approx(weighting.weights().tolist(), rel=1e-4)

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
        step(weighting, {"depth": 0.5, "instances": 0.25})  # in the middle of an epoch
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
        x = nn.Parameter(torch.ones(()))
        losses = {task: x * (math.nan if task == nan_task else 1) for task in TASKS}
        assert weighting_of(name).backward(losses, [x]).isnan()

    def test_a_single_task_works(self, name: str) -> None:
        weighting = weighting_of(name, TASKS[:1])
        train_a_little(weighting)
        _, felt = step(weighting, {"depth": 2.0})
        assert felt.item() > 0

    def test_many_tasks_work(self, name: str) -> None:
        weighting = weighting_of(name, tuple(DIRECTIONS))
        train_a_little(weighting)
        _, felt = step(weighting, {task: i + 1.0 for i, task in enumerate(DIRECTIONS)})
        assert (felt > 0).all()

    def test_two_quadratics_descend_to_between_their_minima(self, name: str) -> None:
        weighting = weighting_of(name)
        torch.manual_seed(0)
        x = nn.Parameter(torch.tensor([3.0, 2.0]))
        optimizer = torch.optim.Adam([x, *weighting.parameters()], lr=0.05)

        def both() -> dict[str, Tensor]:
            return {
                "depth": 0.1 + (x - torch.tensor([1.0, 0.0])).square().sum(),
                "instances": 0.1 + (x + torch.tensor([1.0, 0.0])).square().sum(),
            }

        for _ in range(300):
            optimizer.zero_grad()
            weighting.backward(both(), [x])
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
        steps = [step(weighting, dict(zip(TASKS, pair, strict=True))) for pair in values]
        weighting.end_epoch({"depth": 1.0, "instances": 1.0})
        mean = torch.stack([felt for _, felt in steps]).mean(0)
        assert weighting.weights().tolist() == pytest.approx(mean.tolist(), rel=1e-4)


def test_an_unknown_method_is_told_with_the_known_ones() -> None:
    config = WeightingConfig.model_construct(name="pcgard")
    with pytest.raises(ValueError, match=f"one of {', '.join(METHODS)}, found 'pcgard'"):
        make_weighting(TASKS, config)
