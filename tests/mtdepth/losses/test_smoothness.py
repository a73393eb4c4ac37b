import math

import pytest
import torch

from mtdepth.losses.smoothness import multiscale_smoothness, smoothness


def test_constant_disparity_is_smooth() -> None:
    assert smoothness(torch.full((2, 1, 8, 8), 0.3), torch.rand(2, 3, 8, 8)) == 0


def test_zero_disparity_gives_zero_and_finite_gradients() -> None:
    disparity = torch.zeros(1, 1, 8, 8, requires_grad=True)
    loss = smoothness(disparity, torch.rand(1, 3, 8, 8))
    loss.backward()
    assert loss == 0
    assert disparity.grad is not None
    assert disparity.grad.isfinite().all()


def test_scale_of_disparity_does_not_matter() -> None:
    disparity, image = torch.rand(1, 1, 8, 8), torch.rand(1, 3, 8, 8)
    assert smoothness(disparity, image).item() == pytest.approx(
        smoothness(3 * disparity, image).item(), rel=1e-4
    )


def test_a_step_by_hand_with_and_without_an_edge() -> None:
    disparity = torch.tensor([[[[1.0, 3.0], [1.0, 3.0]]]])  # mean 2: a step of 1
    flat, edge = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    edge[..., 1] = 1.0
    assert smoothness(disparity, flat).item() == pytest.approx(1.0)
    assert smoothness(disparity, edge).item() == pytest.approx(math.exp(-1))


def test_coarser_scales_count_half() -> None:
    image = torch.zeros(1, 3, 4, 4)
    fine = torch.tensor([1.0, 3.0] * 2).expand(1, 1, 4, 4)
    coarse = torch.tensor([1.0, 3.0]).expand(1, 1, 2, 2)
    expected = (smoothness(fine, image) + smoothness(coarse, image[..., :2, :2]) / 2) / 2
    assert multiscale_smoothness((fine, coarse), image).item() == pytest.approx(expected.item())
