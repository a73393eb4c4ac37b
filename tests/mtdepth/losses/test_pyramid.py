"""The image pyramid: monodepth2's resizing from scale to scale, without its rounding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from mtdepth.config import DataConfig
from mtdepth.data.loader import open_split
from mtdepth.losses.pyramid import image_pyramid

Pixels = NDArray[np.uint8]


def blocks(height: int, width: int) -> Pixels:
    """(3, H, W) of black and white, where a filter with lobes overshoots."""
    bits = np.random.default_rng(0).integers(0, 2, (3, height // 2, width // 2))
    return np.kron(255 * bits, np.ones((2, 2))).astype(np.uint8)


def by_pil(pixels: Pixels) -> Pixels:
    """Half of (3, H, W), as monodepth2 resizes."""
    image = Image.fromarray(pixels.transpose(1, 2, 0))
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    return np.asarray(half).transpose(2, 0, 1)


def scales_of(pixels: Pixels, num_scales: int) -> list[NDArray[np.float64]]:
    """In steps of 8 bits."""
    image = torch.from_numpy(pixels.copy())[None].double() / 255
    return [255 * x[0].numpy() for x in image_pyramid(image, num_scales)]


def test_each_scale_is_half_of_the_one_before() -> None:
    image = torch.rand(2, 3, 64, 192)
    scales = image_pyramid(image, 4)
    assert torch.equal(scales[0], image)
    assert [tuple(x.shape) for x in scales] == [(2, 3, 64 // 2**s, 192 // 2**s) for s in range(4)]
    for shorter in (1, 2):
        for found, expected in zip(image_pyramid(image, shorter), scales, strict=False):
            assert torch.equal(found, expected)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_one_colour_stays_what_it_is(value: float) -> None:
    for scale in image_pyramid(torch.full((1, 3, 16, 24), value), 4):
        assert torch.allclose(scale, torch.full_like(scale, value), atol=1e-6)


def test_it_makes_no_difference_which_is_first_a_flip_or_the_pyramid() -> None:
    image = torch.rand(1, 3, 32, 48)
    for axis in (-1, -2):
        flipped = image_pyramid(image.flip(axis), 4)
        for found, expected in zip(flipped, image_pyramid(image, 4), strict=True):
            assert torch.allclose(found, expected.flip(axis), atol=1e-6)


def test_a_nan_is_not_lost() -> None:
    image = torch.rand(1, 3, 16, 16)
    image[0, 1, 3, 4] = torch.nan
    for scale in image_pyramid(image, 3)[1:]:
        assert scale.isnan().flatten(2).all(2).tolist() == [[False, True, False]]


def test_no_gradient_flows_to_the_image() -> None:
    image = torch.rand(1, 3, 16, 16, requires_grad=True)
    assert not any(x.requires_grad for x in image_pyramid(image, 3))


@pytest.mark.parametrize("axis", [-1, -2])
def test_a_bright_line_spreads_as_the_filter_tells(axis: int) -> None:
    """Line 15 has its middle at 15.5, line i of the smaller image at 2 i + 1: line 5 is 2.25 of its
    pixels away. The filter is L(x) = sinc(x) sinc(x / 3) for |x| < 3, over the sum of its values.
    """
    image = torch.full((1, 1, 32, 32), 0.4, dtype=torch.float64)
    image.select(axis, 15).fill_(0.9)
    x = np.array([2.25, 1.25, 0.25, 0.75, 1.75, 2.75])  # of lines 5 to 10
    values = 3 * np.sin(np.pi * x) * np.sin(np.pi * x / 3) / (np.pi * x) ** 2
    weights = values / (2 * values.sum())  # each distance is there on both sides
    assert weights[2:4] == pytest.approx((0.4464, 0.1355), abs=1e-4)
    across = image_pyramid(image, 2)[1][0, 0].movedim(axis, 0)
    assert across.shape == (16, 16)
    assert torch.allclose(across[:5], torch.tensor(0.4, dtype=torch.float64))
    for place, weight in zip(across[5:11], weights, strict=True):
        assert torch.allclose(place, torch.full_like(place, 0.4 + 0.5 * weight), atol=1e-6)


@pytest.mark.parametrize("size", [(64, 192), (192, 640)])
def test_a_hard_image_is_pils_within_its_rounding(size: tuple[int, int]) -> None:
    pixels = blocks(*size)
    _, found = scales_of(pixels, 2)
    expected = by_pil(pixels).astype(float)
    assert found.min() == 0
    assert found.max() == 255
    assert np.abs(found - expected).max() < 1.25
    assert np.abs(found - expected).mean() < 0.35  # evenly rounded numbers: 0.25


def test_a_real_image_is_pils_within_its_rounding(kitti: DataConfig) -> None:
    """From scale to scale; roundings of coarser scales add up."""
    data = open_split(kitti.model_copy(update={"height": 192, "width": 640}), "test")
    pixels = data.batch([0], neighbours=False).frames[0, 0].numpy()
    finer = pixels
    for scale, found in enumerate(scales_of(pixels, 4)[1:], start=1):
        finer = by_pil(finer)
        assert np.abs(found - finer).max() < 1 + 0.25 * scale
        assert np.abs(found - finer).mean() < 0.32
