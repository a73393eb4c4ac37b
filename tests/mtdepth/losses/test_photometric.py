from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from mtdepth.config import DepthConfig
from mtdepth.data.batch import Batch
from mtdepth.losses.mean_filter import mean3x3
from mtdepth.losses.photometric import PhotometricError, photometric_loss, warp_sources


def still_batch(image: Tensor) -> Batch:
    """A camera that stands still before a scene that does not change."""
    size, _, height, width = image.shape
    intrinsics = torch.tensor([[20.0, 0, width / 2], [0, 20.0, height / 2], [0, 0, 1]])
    return Batch(
        target=image,
        sources=image[:, None].expand(-1, 2, -1, -1, -1),
        intrinsics=intrinsics.expand(size, 3, 3).to(image),
        instances=None,
    )


def standing(size: int) -> Tensor:
    return torch.eye(4).expand(size, 2, 4, 4)


def plain_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """SSIM of two 3x3 windows, straight from Wang et al. 2004, eq. 13."""
    mx, my = x.mean(), y.mean()
    vx, vy, cov = x.var(), y.var(), ((x - mx) * (y - my)).mean()
    c1, c2 = 0.01**2, 0.03**2
    return (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))


def test_mean_filter_reflects_the_border_and_is_differentiable() -> None:
    image = torch.arange(6.0).view(1, 1, 2, 3)
    # rows reflect to (1, 0, 1), columns to (1, 0, 1, 2, 1); the corner's window holds each once
    assert mean3x3(image)[0, 0, 0, 0].item() == pytest.approx(
        (4 + 3 + 4 + 1 + 0 + 1 + 4 + 3 + 4) / 9
    )
    double = torch.rand(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(mean3x3, (double,))


def test_an_image_has_no_error_against_itself() -> None:
    image = torch.rand(2, 3, 8, 12)
    assert PhotometricError(image, 0.85)(image[None]).abs().max() < 1e-6


def test_error_is_symmetric_and_bounded() -> None:
    one, two = torch.rand(2, 1, 3, 8, 12)
    there, back = PhotometricError(one, 0.85)(two[None]), PhotometricError(two, 0.85)(one[None])
    assert torch.allclose(there, back, atol=1e-5)
    assert there.min() >= 0
    assert there.max() <= 1


def test_error_of_one_pixel_by_hand() -> None:
    rng = np.random.default_rng(0)
    target, image = rng.random((2, 3, 5, 5))
    error = PhotometricError(torch.tensor(target)[None], 0.85)(torch.tensor(image)[None, None])
    window = (slice(None), slice(1, 4), slice(1, 4))
    ssim = [plain_ssim(x, y) for x, y in zip(target[window], image[window], strict=True)]
    l1 = np.abs(target[:, 2, 2] - image[:, 2, 2]).mean()
    expected = 0.85 * np.clip((1 - np.array(ssim)) / 2, 0, 1).mean() + 0.15 * l1
    assert error[0, 0, 2, 2].item() == pytest.approx(expected, abs=1e-9)


def test_a_still_scene_costs_nothing_whatever_its_depth() -> None:
    batch = still_batch(torch.rand(1, 3, 32, 48))
    disparities = tuple(torch.rand(1, 1, 32 // 2**s, 48 // 2**s) for s in range(4))
    config = DepthConfig(automask=False)
    assert photometric_loss(disparities, standing(1), batch, config).item() < 1e-4


def test_the_better_source_counts() -> None:
    batch = still_batch(torch.rand(1, 3, 32, 48))
    sources = batch.sources.clone()
    sources[:, 0] = torch.rand(1, 3, 32, 48)  # occluded in the frame before
    worse = replace(batch, sources=sources)
    disparities = (torch.rand(1, 1, 32, 48),)
    loss = photometric_loss(disparities, standing(1), worse, DepthConfig(automask=False))
    assert loss.item() < 1e-4


def test_automask_silences_a_scene_that_looks_still() -> None:
    batch = still_batch(torch.rand(1, 3, 32, 48))
    disparity = torch.rand(1, 1, 32, 48, requires_grad=True)
    moved = standing(1).clone()
    moved[..., 0, 3] = 0.5
    loss = photometric_loss((disparity,), moved, batch, DepthConfig())
    loss.backward()
    assert disparity.grad is not None
    assert disparity.grad.abs().sum() < 1e-6
    assert photometric_loss((disparity,), moved, batch, DepthConfig(automask=False)) > 0.05


def test_the_true_depth_costs_less_than_a_wrong_one() -> None:
    image = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 16), (32, 64), mode="bilinear")
    batch = still_batch(image)
    source_T_target = standing(1).clone()
    source_T_target[:, 1, 0, 3] = -1.0  # one metre to the right: 4 pixels at 5 metres
    shifted = warp_sources(torch.full((1, 1, 1, 32, 64), 5.0), source_T_target, batch)[1, 0]
    frames = replace(batch, target=shifted)
    config = DepthConfig(automask=False, min_m=1, max_m=50)

    def loss(depth_m: float) -> float:
        disparity = torch.full((1, 1, 32, 64), (1 / depth_m - 1 / 50) / (1 - 1 / 50))
        return photometric_loss((disparity,), source_T_target, frames, config).item()

    assert loss(5.0) < 0.5 * min(loss(3.0), loss(10.0))


@pytest.mark.parametrize("ssim", [0.0, 0.85, 1.0])
def test_gradient_agrees_with_finite_differences(ssim: float) -> None:
    torch.manual_seed(0)
    target = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    image = torch.rand(1, 1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(PhotometricError(target, ssim), (image,))
