import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mtdepth.config import WeightingConfig
from mtdepth.weighting.nash import Nash, bargain


def weights_of(*gradients: list[float]) -> Tensor:
    jacobian = torch.tensor(gradients, dtype=torch.float64)
    tasks = [f"task-{i}" for i in range(len(gradients))]
    return Nash(tasks, WeightingConfig(name="nash")).step_weights(jacobian @ jacobian.T)


def test_by_hand() -> None:
    """a w1^2 + b w1 w2 = 1 = b w1 w2 + c w2^2, so w2 = w1 sqrt(a / c)."""
    a, b, c = 4.0, -1.0, 9.0
    first = 1 / math.sqrt(a + b * math.sqrt(a / c))
    found = bargain(torch.tensor([[a, b], [b, c]], dtype=torch.float64))
    assert found.tolist() == pytest.approx([first, first * 2 / 3], rel=1e-9)


def test_orthogonal_gradients_weigh_the_inverse_of_their_length() -> None:
    assert weights_of([0.5, 0], [0, 20]).tolist() == pytest.approx([2, 0.05], rel=1e-2)


@given(
    st.lists(
        st.lists(st.floats(-1, 1), min_size=5, max_size=5).filter(
            lambda row: sum(x * x for x in row) > 1e-2
        ),
        min_size=2,
        max_size=4,
    )
)
def test_each_task_gains_the_inverse_of_its_weight(rows: list[list[float]]) -> None:
    jacobian = torch.tensor(rows, dtype=torch.float64)
    gramian = jacobian @ jacobian.T + 1e-3 * torch.eye(len(rows))
    weights = bargain(gramian)
    assert (weights > 0).all()
    torch.testing.assert_close(weights * (gramian @ weights), torch.ones(len(rows)).double())


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e6])
def test_the_step_is_as_long_whatever_the_gradients_lengths(scale: float) -> None:
    jacobian = scale * torch.tensor([[1.0, 0.2, 0], [-0.3, 2.0, 0.1]], dtype=torch.float64)
    weights = weights_of(*jacobian.tolist())
    assert (weights @ jacobian).norm().item() == pytest.approx(math.sqrt(2), rel=1e-4)


@pytest.mark.parametrize(
    "gradients",
    [
        ([1.0, 0.0], [-1.0, 0.0]),
        ([1.0, 0.0], [1.0, 0.0]),
        ([0.0, 0.0], [0.0, 1.0]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([1e-18, 0.0], [0.0, 1e3]),
    ],
)
def test_what_has_no_solution_gives_finite_positive_weights(gradients: list[list[float]]) -> None:
    weights = weights_of(*gradients)
    assert weights.isfinite().all()
    assert (weights > 0).all()
