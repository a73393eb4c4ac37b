"""The whole photometric loss against a computation of its own, pixel by pixel in NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mtdepth.config import DepthConfig
from mtdepth.data.batch import Batch
from mtdepth.geometry import rigid_transform
from mtdepth.losses.photometric import photometric_loss
from mtdepth.losses.ssim import Dissimilarity

Array = NDArray[np.float64]
HEIGHT, WIDTH = 8, 12


def dissimilarity(x: Array, y: Array) -> Array:
    """(H, W), the mean over colours of (1 - SSIM) / 2 in 3x3 windows (Wang et al. 2004, eq. 13)."""

    def windows(image: Array) -> Array:
        padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="reflect")
        return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))

    x, y = windows(x), windows(y)  # (3, H, W, 3, 3)
    mx, my = x.mean((3, 4)), y.mean((3, 4))
    covariance = ((x - mx[..., None, None]) * (y - my[..., None, None])).mean((3, 4))
    c1, c2 = 0.01**2, 0.03**2
    ssim = (2 * mx * my + c1) * (2 * covariance + c2)
    ssim /= (mx**2 + my**2 + c1) * (x.var((3, 4)) + y.var((3, 4)) + c2)
    return np.clip((1 - ssim) / 2, 0, 1).mean(0)


def error(image: Array, target: Array) -> Array:
    """(H, W), pe of Godard et al. 2019, sec. 3.1."""
    return 0.85 * dissimilarity(image, target) + 0.15 * np.abs(image - target).mean(0)


def between(image: Array, u: float, v: float) -> Array:
    """(C,), bilinear, the nearest border outside."""
    height, width = image.shape[1:]
    u, v = min(max(u, 0.0), width - 1.0), min(max(v, 0.0), height - 1.0)
    left, up = min(int(u), width - 2), min(int(v), height - 2)
    a, b = u - left, v - up
    upper = (1 - a) * image[:, up, left] + a * image[:, up, left + 1]
    lower = (1 - a) * image[:, up + 1, left] + a * image[:, up + 1, left + 1]
    return (1 - b) * upper + b * lower


def enlarged(disparity: Array, factor: int) -> Array:
    """(H, W) from (H / factor, W / factor): pixels are areas, whose corners stay where they are."""
    place = [((np.arange(n) + 0.5) / factor - 0.5).tolist() for n in (HEIGHT, WIDTH)]
    return np.array([[between(disparity[None], u, v)[0] for u in place[1]] for v in place[0]])


def warped(source: Array, disparity: Array, intrinsics: Array, source_T_target: Array) -> Array:
    """(3, H, W): where each pixel of the target lies in the source (Zhou et al. 2017, eq. 2)."""
    image = np.empty_like(source)
    for v in range(HEIGHT):
        for u in range(WIDTH):
            depth_m = 1 / (1 / 100 + (1 / 0.1 - 1 / 100) * disparity[v, u])
            point = depth_m * np.linalg.inv(intrinsics) @ [u, v, 1]
            x, y, z = intrinsics @ (source_T_target[:3, :3] @ point + source_T_target[:3, 3])
            image[:, v, u] = between(source, x / z, y / z)
    return image


def reference(disparities: list[Array], poses: Array, batch: Batch, noise: float) -> float:
    """Eqs. 4 and 5, the mean over images, scales and pixels; `noise` is added where unwarped."""
    target, sources, intrinsics = (
        x.numpy().astype(float) for x in (batch.target, batch.sources, batch.intrinsics)
    )
    costs = []
    for i, (y, pair) in enumerate(zip(target, sources, strict=True)):
        still = np.min([error(source, y) for source in pair], axis=0) + noise
        for scale, maps in enumerate(disparities):
            full = enlarged(maps[i, 0], 2**scale)
            views = [warped(x, full, intrinsics[i], T) for x, T in zip(pair, poses[i], strict=True)]
            costs.append(np.minimum(np.min([error(x, y) for x in views], axis=0), still))
    return float(np.mean(costs))


def scene() -> tuple[tuple[torch.Tensor, ...], torch.Tensor, Batch]:
    """Two triplets, disparities of two scales, and poses, all in float64."""
    rng = torch.Generator().manual_seed(3)

    def rand(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=rng, dtype=torch.float64)

    intrinsics = torch.tensor([[7.0, 0, 5.3], [0, 9.0, 3.6], [0, 0, 1]], dtype=torch.float64)
    batch = Batch(
        target=rand(2, 3, HEIGHT, WIDTH),
        sources=rand(2, 2, 3, HEIGHT, WIDTH),
        intrinsics=intrinsics.expand(2, 3, 3),
        instances=None,
    )
    # neighbours that nearly look alike, so that each of warped and unwarped wins somewhere
    batch = replace(batch, sources=0.5 * batch.target[:, None] + 0.5 * batch.sources)
    poses = rigid_transform(0.1 * rand(2, 2, 3), 0.4 * (rand(2, 2, 3) - 0.5))
    disparities = tuple(0.05 + 0.2 * rand(2, 1, HEIGHT // 2**s, WIDTH // 2**s) for s in (0, 1))
    return disparities, poses, batch


@pytest.mark.parametrize("automask", [False, True])
def test_the_loss_is_what_the_paper_writes(automask: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32. Ties are broken by 1e-5 times a normal number, here always 100."""
    monkeypatch.setattr(torch, "randn_like", lambda x: torch.full_like(x, 100.0))
    disparities, poses, batch = scene()
    single = Batch(
        target=batch.target.float(),
        sources=batch.sources.float(),
        intrinsics=batch.intrinsics.float(),
        instances=None,
    )
    found = photometric_loss(
        tuple(x.float() for x in disparities), poses.float(), single, DepthConfig(automask=automask)
    )
    maps = [x.numpy() for x in disparities]
    expected = {
        noise: reference(maps, poses.numpy(), batch, noise) for noise in (0.0, 100 * 1e-5, np.inf)
    }
    assert np.diff(list(expected.values())).min() > 1e-4  # what is tested makes a difference
    assert found.item() == pytest.approx(expected[100 * 1e-5 if automask else np.inf], abs=1e-5)


def test_its_gradients_agree_with_finite_differences() -> None:
    disparities, poses, batch = scene()
    config = DepthConfig(automask=False)

    def loss(fine: torch.Tensor, coarse: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
        return photometric_loss((fine, coarse), motion, batch, config)

    inputs = [x.requires_grad_() for x in (*disparities, poses)]
    assert torch.autograd.gradcheck(loss, inputs, eps=1e-7, atol=1e-6)


def test_dissimilarity_in_float32() -> None:
    _, _, batch = scene()
    target, image = batch.target[0], batch.sources[0, 0]
    found = Dissimilarity(target[None].float())(image[None, None].float())
    expected = dissimilarity(image.numpy(), target.numpy())
    np.testing.assert_allclose(found[0, 0].numpy(), expected, rtol=0, atol=1e-5)
