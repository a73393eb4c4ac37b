import math

import numpy as np
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


def halved(image: np.ndarray, axis: int) -> np.ndarray:
    """By Lanczos' filter of three lobes, twice as wide for half as many pixels, and clipped."""
    size = image.shape[axis]
    away = (np.arange(size) + 0.5 - (2 * np.arange(size // 2)[:, None] + 1)) / 2
    weights = np.where(np.abs(away) < 3, np.sinc(away) * np.sinc(away / 3), 0)
    weights /= weights.sum(1, keepdims=True)
    smaller = np.tensordot(weights, np.moveaxis(image, axis, 0), 1)
    return np.moveaxis(smaller, 0, axis).clip(0, 1)


def by_numpy(disparities: tuple[torch.Tensor, ...], image: torch.Tensor) -> float:
    """Eq. 3 of Godard et al. 2019 at each scale, halved with each, against a pyramid of images."""
    scales, small = [], image.double().numpy()
    for s, disparity in enumerate(disparities):
        d = disparity[:, 0].double().numpy()
        d = d / d.mean((1, 2), keepdims=True)
        along = [
            np.abs(np.diff(d, axis=a)) * np.exp(-np.abs(np.diff(small, axis=a + 1)).mean(1))
            for a in (1, 2)
        ]
        scales.append((along[0].mean() + along[1].mean()) / 2**s)
        small = halved(halved(small, -1), -2)
    return float(np.mean(scales))


def pyramid(dtype: torch.dtype) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    maps = [torch.rand(2, 1, 8 // 2**s, 12 // 2**s, generator=rng) for s in range(3)]
    return tuple(x.to(dtype) for x in maps), torch.rand(2, 3, 8, 12, generator=rng).to(dtype)


def test_all_scales_against_numpy() -> None:
    disparities, image = pyramid(torch.float32)
    found = multiscale_smoothness(disparities, image).item()
    assert found == pytest.approx(by_numpy(disparities, image), abs=1e-5)


def test_gradients_agree_with_finite_differences() -> None:
    disparities, image = pyramid(torch.float64)
    inputs = [x.requires_grad_() for x in disparities]
    assert torch.autograd.gradcheck(lambda *maps: multiscale_smoothness(maps, image), inputs)
