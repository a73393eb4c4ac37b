import torch
from torch import Tensor, nn

from mtdepth.config import WeightingConfig
from mtdepth.weighting.gradient import GradientWeighting


class TwoToOne(GradientWeighting):
    """Weighs the first task twice, and keeps the Gramian that it was shown."""

    def step_weights(self, gramian: Tensor) -> Tensor:
        self.gramian = gramian
        return torch.tensor([2.0, *[1.0] * (len(gramian) - 1)], dtype=torch.float64)


def method(*tasks: str) -> TwoToOne:
    return TwoToOne(tasks, WeightingConfig())


def test_shared_gradients_are_combined_and_a_tasks_own_are_left_as_they_are() -> None:
    """L_a = 3 x + 5 u and L_b = y . (4, 1) - x with x of both, u of a, y of b."""
    x, u, y = (
        nn.Parameter(torch.ones(())),
        nn.Parameter(torch.ones(())),
        nn.Parameter(torch.ones(2)),
    )
    weighting = method("a", "b")
    losses = {"a": 3 * x + 5 * u, "b": y @ torch.tensor([4.0, 1.0]) - x}
    total = weighting.backward(losses, [u, x, y])
    assert total.item() == 2 * 8 + 4
    assert not total.requires_grad
    assert weighting.gramian.tolist() == [[9, -3], [-3, 1]]
    assert weighting.gramian.dtype == torch.float64
    assert x.grad is not None
    assert u.grad is not None
    assert y.grad is not None
    assert x.grad.item() == 2 * 3 - 1
    assert u.grad.item() == 5
    assert y.grad.tolist() == [4, 1]
    assert weighting.weights().tolist() == [2, 1]


def test_gradients_keep_the_shapes_of_their_parameters() -> None:
    kernel, bias = nn.Parameter(torch.ones(2, 3)), nn.Parameter(torch.ones(3))
    losses = {"a": kernel.sum() + bias.sum(), "b": kernel[1].sum() - 2 * bias[0]}
    method("a", "b").backward(losses, [kernel, bias])
    assert kernel.grad is not None
    assert bias.grad is not None
    assert kernel.grad.tolist() == [[2, 2, 2], [3, 3, 3]]
    assert bias.grad.tolist() == [0, 2, 2]


def test_what_two_of_three_share_is_shared_and_what_none_has_gets_nothing() -> None:
    x, unused = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))
    losses = {"a": 1 * x, "b": torch.ones((), requires_grad=True) * 2, "c": 3 * x}
    weighting = method("a", "b", "c")
    weighting.backward(losses, [x, unused])
    assert weighting.gramian.tolist() == [[1, 0, 3], [0, 0, 0], [3, 0, 9]]
    assert x.grad is not None
    assert x.grad.item() == 2 * 1 + 3
    assert unused.grad is None


def test_a_single_task_weighs_one() -> None:
    x = nn.Parameter(torch.ones(()))
    weighting = method("a")
    assert weighting.backward({"a": 3 * x}, [x]).item() == 3
    assert x.grad is not None
    assert x.grad.item() == 3
    assert weighting.weights().tolist() == [1]


def test_a_gradient_that_is_not_finite_makes_the_total_nan_and_is_not_counted() -> None:
    x = nn.Parameter(torch.zeros(()))
    weighting = method("a", "b")
    assert weighting.backward({"a": 1 + x, "b": x.sqrt()}, [x]).isnan()
    assert weighting.num_steps.item() == 0
