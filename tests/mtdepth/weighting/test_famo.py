import math

import numpy as np
import pytest
import torch

from mtdepth.config import WeightingConfig
from mtdepth.weighting.famo import Famo

TASKS = ("depth", "instances")


def famo(**options: float) -> Famo:
    return Famo(TASKS, WeightingConfig.model_validate({"name": "famo", **options}))


def losses(depth: float, instances: float) -> dict[str, torch.Tensor]:
    return {"depth": torch.tensor(depth), "instances": torch.tensor(instances)}


def test_the_first_step_by_hand() -> None:
    """Losses of 2 and 6 at even logits: 1/2 to 1/6, or 3 to 1, and a harmonic mean of 3."""
    method = famo()
    assert method(losses(2.0, 6.0)).item() == pytest.approx(3.0)
    assert method.weights().tolist() == pytest.approx([0.75, 0.25])


def test_the_first_update_by_hand() -> None:
    """The logarithms fall by log 4 and log 2: delta = 1/4 (log 2, -log 2), and Adam's first step
    goes by the learning rate against its sign."""
    method = famo(famo_lr=0.1, famo_decay=0)
    method(losses(2.0, 6.0))
    method.after_step(losses(0.5, 3.0))
    assert method.logits.tolist() == pytest.approx([-0.1, 0.1])
    assert method.moments[0].tolist() == pytest.approx(
        [0.1 * math.log(2) / 4, -0.1 * math.log(2) / 4]
    )


def test_many_updates_are_those_of_adam_on_the_finite_differences() -> None:
    """An independent NumPy reference, in float64."""
    rng = np.random.default_rng(0)
    method = famo(famo_lr=0.05, famo_decay=0.3).double()
    xi, m, v = np.zeros(2), np.zeros(2), np.zeros(2)
    for t in range(1, 20):
        before, after = rng.uniform(0.1, 2, (2, 2))
        z = np.exp(xi) / np.exp(xi).sum()
        jacobian = np.diag(z) - np.outer(z, z)
        weights = (z / before) / (z / before).sum()
        found = method.step_weights(torch.tensor(before))
        np.testing.assert_allclose(found.numpy(), weights)
        method.after_step(dict(zip(TASKS, torch.tensor(after), strict=True)))
        grad = jacobian.T @ (np.log(before) - np.log(after)) + 0.3 * xi
        m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
        xi = xi - 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        np.testing.assert_allclose(method.logits.numpy(), xi)


def test_a_task_that_falls_by_less_weighs_more_from_then_on() -> None:
    method = famo()
    for _ in range(20):
        method(losses(1.0, 1.0))
        method.after_step(losses(0.5, 0.99))
    depth, instances = torch.softmax(method.logits, 0).tolist()
    assert instances > 0.6 > depth


def test_units_of_a_loss_do_not_matter_to_the_logits() -> None:
    method, other = famo(), famo()
    for one, factor in ((method, 1.0), (other, 100.0)):
        one(losses(1.0, 1.0 * factor))
        one.after_step(losses(0.5, 0.75 * factor))
    torch.testing.assert_close(method.logits, other.logits)


def test_decay_draws_back_to_even() -> None:
    method = famo(famo_decay=1.0)
    method.logits.copy_(torch.tensor([1.0, -1.0]))
    for _ in range(200):
        method(losses(1.0, 1.0))
        method.after_step(losses(1.0, 1.0))
    assert method.logits.abs().max() < 0.05
