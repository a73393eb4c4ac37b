import pytest
import torch

from mtdepth.config import WeightingConfig
from mtdepth.weighting.gls import GeometricLoss


def gls(*values: float) -> tuple[torch.Tensor, GeometricLoss]:
    tasks = tuple(f"task {i}" for i in range(len(values)))
    method = GeometricLoss(tasks, WeightingConfig(name="gls"))
    total = method(dict(zip(tasks, torch.tensor(values), strict=True)))
    return total, method


def test_by_hand() -> None:
    """Losses of 2 and 8: a mean of 4, and weights of 4 / (2 * 2) and 4 / (2 * 8)."""
    total, method = gls(2.0, 8.0)
    assert total.item() == pytest.approx(4.0)
    assert method.weights().tolist() == pytest.approx([1.0, 0.25])


def test_three_losses_have_their_cube_root() -> None:
    assert gls(1.0, 3.0, 9.0)[0].item() == pytest.approx(3.0)


def test_the_mean_scales_with_each_loss_and_the_shares_do_not() -> None:
    (total, method), (scaled, other) = gls(0.3, 0.02), gls(0.3, 0.02 * 16)
    assert scaled.item() == pytest.approx(4 * total.item())
    share, other_share = (
        m.weights() * torch.tensor(v) for m, v in ((method, (0.3, 0.02)), (other, (0.3, 0.32)))
    )
    assert (share / share.sum()).tolist() == pytest.approx([0.5, 0.5])
    assert (other_share / other_share.sum()).tolist() == pytest.approx([0.5, 0.5])


def test_gradient_is_that_of_the_geometric_mean() -> None:
    tasks = ("depth", "instances")
    method = GeometricLoss(tasks, WeightingConfig(name="gls")).double()

    def total(depth: torch.Tensor, instances: torch.Tensor) -> torch.Tensor:
        return method({"depth": depth, "instances": instances})

    values = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.7, 0.2)]
    assert torch.autograd.gradcheck(total, values)
