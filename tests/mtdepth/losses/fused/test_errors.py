"""Compiled errors against those in tensors, in float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mtdepth.losses.fused import photometric_errors
from mtdepth.losses.photometric import PhotometricError

SIZES = st.integers(2, 20)


def images_and_target(num: int, size: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(num * 1000 + height * 100 + width)
    images = torch.rand(num, size, 3, height, width, generator=generator)
    # half alike, so that SSIM is far from 0
    target = 0.5 * images[0] + 0.5 * torch.rand(size, 3, height, width, generator=generator)
    return images, target


def gradient(errors: Tensor, images: Tensor, weights: Tensor) -> Tensor:
    (found,) = torch.autograd.grad((errors * weights).sum(), images)
    return found


@settings(deadline=None)  # the first is compiled
@given(st.integers(1, 3), st.integers(1, 2), SIZES, SIZES, st.sampled_from([0.0, 0.85, 1.0]))
def test_they_and_their_gradients_are_those_of_tensors(
    num: int, size: int, height: int, width: int, ssim: float
) -> None:
    images, target = images_and_target(num, size, height, width)
    weights = torch.rand(num, size, height, width)
    single, double = images.clone().requires_grad_(), images.double().requires_grad_()
    found = photometric_errors(single, target, ssim)
    expected = PhotometricError(target.double(), ssim)(double)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        gradient(found, single, weights).double(),
        gradient(expected, double, weights.double()),
        rtol=1e-3,
        atol=1e-4,
    )


def test_threads_make_no_difference() -> None:
    images, target = images_and_target(4, 2, 16, 24)
    weights, before = torch.rand(4, 2, 16, 24), torch.get_num_threads()
    found = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        x = images.clone().requires_grad_()
        errors = photometric_errors(x, target, 0.85)
        found.append((errors, gradient(errors, x, weights)))
    torch.set_num_threads(before)
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def test_the_layout_in_memory_makes_no_difference() -> None:
    images, target = images_and_target(2, 2, 8, 12)
    turned = images.transpose(0, 1).contiguous().transpose(0, 1)
    last = target.contiguous(memory_format=torch.channels_last)
    assert torch.equal(
        photometric_errors(turned, last, 0.85), photometric_errors(images, target, 0.85)
    )


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_not_finite_stays_visible_where_a_window_sees_it(value: float) -> None:
    images, target = images_and_target(1, 1, 8, 12)
    images[0, 0, 1, 3, 5] = value
    lost = ~photometric_errors(images, target, 0.85)[0, 0].isfinite()
    expected = torch.zeros(8, 12, dtype=torch.bool)
    expected[2:5, 4:7] = True
    assert torch.equal(lost, expected)


def test_a_target_of_another_size_is_refused() -> None:
    images, target = images_and_target(1, 2, 8, 12)
    with pytest.raises(RuntimeError, match="size"):
        photometric_errors(images, target[..., :-1], 0.85)


def test_a_single_row_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2x2"):
        photometric_errors(torch.rand(1, 1, 3, 1, 8), torch.rand(1, 3, 1, 8), 0.85)
