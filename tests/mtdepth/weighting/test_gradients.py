"""Gradients of each weighting's total agree with finite differences in float64."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor, nn

from mtdepth.config import WeightingConfig
from mtdepth.data.batch import Batch
from mtdepth.losses import task_losses
from mtdepth.model.network import Network
from mtdepth.weighting import METHODS, Weighting, make_weighting
from tests.mtdepth.batches import random_batch, small_config
from tests.mtdepth.slopes import directions, slope

TASKS = ("depth", "instances")
OPTIONS = {"depth_weight": 0.5, "instances_weight": 2.0, "so_temperature": 5.0}
TOTALS = ("equal", "fixed", "dwa", "uncertainty", "gls", "rlw")
"""What these minimise is their total. The others weigh by numbers that no gradient flows through:
they are held to the weights that they tell of."""


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def weighting_of(name: str) -> Weighting:
    """A weighting in its third epoch, of which no step is done."""
    torch.manual_seed(0)
    config = WeightingConfig.model_validate({"name": name, **OPTIONS})
    weighting = make_weighting(TASKS, config).double()
    for depth, instances in ((0.8, 0.6), (0.5, 0.5)):
        x = nn.Parameter(double(0.3, -0.2))
        values = {"depth": depth + x @ double(1, 0.5), "instances": instances + x @ double(-0.2, 1)}
        weighting.backward(values, [x])
        if weighting.looks_back:
            weighting.after_step({"depth": double(depth / 2)[0], "instances": double(instances)[0]})
        weighting.end_epoch({"depth": depth, "instances": instances})
    return weighting


@pytest.mark.parametrize("name", TOTALS)
def test_totals_by_each_loss_and_each_of_its_own_parameters(name: str) -> None:
    weighting = weighting_of(name)
    losses = {task: x.requires_grad_() for task, x in zip(TASKS, double(0.7, 0.2), strict=True)}
    inputs = [*losses.values(), *weighting.parameters()]

    def total() -> Tensor:
        torch.manual_seed(1)  # the weights that are drawn
        return weighting(losses)

    gradients = torch.autograd.grad(total(), inputs)
    for x, gradient, along in zip(inputs, gradients, directions(inputs), strict=True):
        found = (gradient * along).sum().item()
        assert found == pytest.approx(slope(total, [x], [along], 1e-6), rel=1e-6, abs=1e-9)


def test_famo_by_each_loss() -> None:
    """c sum of z_k log L_k, c and z held: what Algorithm 1 descends."""
    weighting = weighting_of("famo")
    losses = {task: x.requires_grad_() for task, x in zip(TASKS, double(0.7, 0.2), strict=True)}
    gradients = torch.autograd.grad(weighting(losses), list(losses.values()))
    logits = weighting.get_buffer("logits")
    assert logits[0] != logits[1]
    shares = torch.softmax(logits, 0)
    factor = 1 / (shares / double(0.7, 0.2)).sum()

    def total() -> Tensor:
        return factor * (shares * torch.stack(list(losses.values())).log()).sum()

    for gradient, loss in zip(gradients, losses.values(), strict=True):
        expected = slope(total, [loss], [torch.ones_like(loss)], 1e-6)
        assert gradient.item() == pytest.approx(expected, rel=1e-5)


@dataclass(frozen=True)
class Learner:
    """A network in float64 and what it learns from."""

    network: Network
    batch: Batch

    @property
    def shared(self) -> list[nn.Parameter]:
        """The parameters that both tasks have."""
        return [*self.network.encoder.parameters(), *self.network.decoder.parameters()]

    def losses(self) -> dict[str, Tensor]:
        torch.manual_seed(0)  # the noise that breaks ties
        predictions = self.network(self.batch.target, self.batch.sources)
        return task_losses(predictions, self.batch, self.network.config)


@pytest.fixture(scope="module")
def learner() -> Learner:
    torch.manual_seed(3)
    batch = random_batch(1, 64, 64)
    frames = {name: getattr(batch, name).double() for name in ("target", "sources", "intrinsics")}
    network = Network(small_config(pose={"forward_m": 0.3})).double()
    return Learner(network, replace(batch, **frames))


@pytest.fixture(scope="module")
def slopes(learner: Learner) -> Tensor:
    """(T,): how fast each loss changes as the shared parameters go along a random direction."""
    along = directions(learner.shared)
    found = [
        slope(lambda task=task: learner.losses()[task], learner.shared, along, 1e-8)
        for task in TASKS
    ]
    assert min(map(abs, found)) > 1e-4, "what is tested makes a difference"
    return double(*found)


@pytest.mark.parametrize("name", METHODS)
def test_through_the_network_it_is_that_of_the_losses_as_they_weigh(
    learner: Learner, slopes: Tensor, name: str
) -> None:
    weighting = weighting_of(name)
    learner.network.zero_grad()
    weighting.backward(learner.losses(), list(learner.network.parameters()))
    found = 0.0
    for parameter, along in zip(learner.shared, directions(learner.shared), strict=True):
        assert parameter.grad is not None
        found += (parameter.grad * along).sum().item()
    expected = (weighting.weights().double() * slopes).sum().item()
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-7)
