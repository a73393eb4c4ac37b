"""Dissimilarity against its definition and against autograd."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mtdepth.losses.ssim import C1, C2, Dissimilarity


def plainly(x: Tensor, y: Tensor) -> Tensor:
    """Eq. 13 by average pooling, for (B, 3, H, W)."""

    def mean(z: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(z, (1, 1, 1, 1), mode="reflect"), 3, 1)

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    ssim = (2 * mx * my + C1) * (2 * cov + C2) / ((mx**2 + my**2 + C1) * (vx + vy + C2))
    return ((1 - ssim) / 2).clamp(0, 1).mean(1)


def random_images(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def test_it_is_its_definition() -> None:
    target, images = random_images(2, 3, 8, 9), random_images(4, 2, 3, 8, 9, seed=1)
    found = Dissimilarity(target)(images)
    expected = torch.stack([plainly(x, target) for x in images])
    assert torch.allclose(found, expected)


def test_its_gradient_is_autograds() -> None:
    target = random_images(1, 3, 5, 6)
    images = random_images(2, 1, 3, 5, 6, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(Dissimilarity(target), images)
    weights = random_images(2, 1, 5, 6, seed=2)
    (Dissimilarity(target)(images) * weights).sum().backward()
    assert images.grad is not None
    ours, images.grad = images.grad, None
    (torch.stack([plainly(x, target) for x in images]) * weights).sum().backward()
    assert torch.allclose(ours, images.grad)


def test_equal_images_are_not_dissimilar_and_opposite_ones_are() -> None:
    target = random_images(1, 3, 6, 6)
    assert Dissimilarity(target)(target[None]).abs().max() < 1e-9
    assert Dissimilarity(target)(1 - target[None]).mean() > 0.5
