"""Gradients of every loss agree with finite differences in float64, away from kinks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mtdepth.config import DepthConfig, OffsetConfig
from mtdepth.data.batch import Batch
from mtdepth.geometry import depth_from_disparity, invert_rigid, rigid_transform
from mtdepth.losses.offsets import offset_loss
from mtdepth.losses.photometric import photometric_loss
from mtdepth.losses.smoothness import multiscale_smoothness, smoothness
from mtdepth.model.network import NUM_SCALES
from tests.mtdepth.batches import labels_of
from tests.mtdepth.slopes import directions, slope

HEIGHT, WIDTH = 16, 24
STANDING = torch.zeros(2, 3, dtype=torch.float64)
AHEAD = torch.tensor([[0.02, -0.03, 0.3], [0.01, 0.02, 0.4]], dtype=torch.float64)
TURN = torch.tensor([[0.03, -0.02, 0.01], [-0.01, 0.04, 0.02]], dtype=torch.float64)
AROUND = torch.tensor([[0.0, 1.7, 0.0], [0.1, -1.6, 0.2]], dtype=torch.float64)
"""Far enough for the other half of the scene to be behind the camera."""


def rand(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def scene() -> tuple[list[Tensor], Batch]:
    """Disparities of all scales, and two triplets of smooth images that nearly look alike."""
    coarse = rand(6, 3, HEIGHT // 4, WIDTH // 4, seed=1)
    images = torch.nn.functional.interpolate(coarse, (HEIGHT, WIDTH), mode="bicubic").clamp(0, 1)
    target, sources = images[:2], images[2:].view(2, 2, 3, HEIGHT, WIDTH)
    intrinsics = torch.tensor([[14.0, 0, 11.3], [0, 18.0, 7.6], [0, 0, 1]], dtype=torch.float64)
    batch = Batch(
        target=target,
        sources=0.7 * target[:, None] + 0.3 * sources,
        intrinsics=intrinsics.expand(2, 3, 3),
        instances=None,
    )
    maps = [
        0.02 + 0.1 * rand(2, 1, HEIGHT // 2**s, WIDTH // 2**s, seed=s) for s in range(NUM_SCALES)
    ]
    return maps, batch


def source_T_target(turn: Tensor, motion: Tensor) -> Tensor:
    """(B, 2, 4, 4) as the network makes it: the motion to the frame before is undone."""
    after = rigid_transform(turn, motion)
    return torch.stack([invert_rigid(after), after], 1)


@pytest.mark.parametrize("ssim", [0.0, 0.85, 1.0])
@pytest.mark.parametrize(
    ("turn", "motion", "automask"),
    [
        pytest.param(TURN, AHEAD, False, id="driving"),
        pytest.param(TURN, AHEAD, True, id="driving, masked"),
        pytest.param(STANDING, AHEAD, False, id="straight on"),
        pytest.param(STANDING, AHEAD, True, id="straight on, masked"),
        pytest.param(TURN, STANDING, False, id="turning"),
        pytest.param(AROUND, AHEAD, False, id="half behind"),
    ],
)
def test_photometric_by_each_disparity_and_by_motion(
    turn: Tensor, motion: Tensor, ssim: float, automask: bool
) -> None:
    """Through axis-angle, warp, depth, upsampling, SSIM and the two minima."""
    maps, batch = scene()
    inputs = [x.clone().requires_grad_() for x in (*maps, turn, motion)]
    config = DepthConfig(ssim=ssim, automask=automask)

    def loss() -> Tensor:
        torch.manual_seed(0)  # the noise that breaks ties
        *disparities, axis_angle, translation = inputs
        pose = source_T_target(axis_angle, translation)
        return photometric_loss(tuple(disparities), pose, batch, config)

    gradients = torch.autograd.grad(loss(), inputs)
    for x, gradient, along in zip(inputs, gradients, directions(inputs), strict=True):
        found = (gradient * along).sum().item()
        assert found == pytest.approx(slope(loss, [x], [along], 1e-7), rel=1e-4, abs=1e-8)
    teaches = gradients if motion.any() else gradients[-2:]  # turning tells nothing of depth
    assert all(gradient.abs().max() > 1e-6 for gradient in teaches)


def test_depth_by_disparity() -> None:
    disparity = rand(2, 1, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: depth_from_disparity(x, 0.1, 100.0), (disparity,))


@pytest.mark.parametrize("scale", range(NUM_SCALES))
def test_smoothness_of_each_scale(scale: int) -> None:
    maps, batch = scene()

    def loss(disparity: Tensor) -> Tensor:
        return multiscale_smoothness((*maps[:scale], disparity, *maps[scale + 1 :]), batch.target)

    assert torch.autograd.gradcheck(loss, (maps[scale].requires_grad_(),))


def test_smoothness_of_one_map() -> None:
    maps, batch = scene()
    assert torch.autograd.gradcheck(
        lambda x: smoothness(x, batch.target), (maps[0].requires_grad_(),)
    )


def instances() -> Tensor:
    """(2, 6, 8): two instances and one too small in the first image, none in the second."""
    found = torch.zeros(2, 6, 8, dtype=torch.long)
    found[0, 1:4, 1:4], found[0, 2:6, 5:8], found[0, 0, 7] = 26001, 26002, 24001
    return found


@pytest.mark.parametrize("unit", ["image", "pixel"])
@pytest.mark.parametrize("norm", ["l2", "squared", "l1"])
@pytest.mark.parametrize("background", ["zero", "balanced", "masked"])
@pytest.mark.parametrize("num_instances", [0, 2])
def test_offsets_of_every_unit_norm_and_background(
    unit: str, norm: str, background: str, num_instances: int
) -> None:
    config = OffsetConfig.model_validate(
        {"unit": unit, "norm": norm, "background": background, "min_area": 2}
    )
    _, batch = scene()
    labels = instances() if num_instances else torch.zeros_like(instances())
    batch = replace(batch, instances=labels_of(labels))
    offsets = (rand(2, 2, 6, 8) - 0.5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: offset_loss(x, batch, config), (offsets,))
    (gradient,) = torch.autograd.grad(offset_loss(offsets, batch, config), offsets)
    taught = gradient.abs().sum(1) > 0
    left_alone = (labels == 0) | (labels == 24001)
    assert torch.equal(taught, ~left_alone if background == "masked" else torch.ones_like(taught))
