"""A CPU's and a GPU's errors against those in tensors, in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mtdepth.losses.fused import photometric_errors
from mtdepth.losses.photometric import PhotometricError

pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
"""Which NumPy has where Triton is interpreted."""
Way = Callable[[Tensor, Tensor, float], Tensor]

SIZES = st.integers(2, 20)


@pytest.fixture(scope="module")
def compiled(device: torch.device) -> Way:
    def errors(images: Tensor, target: Tensor, ssim: float) -> Tensor:
        return photometric_errors(images.to(device), target.to(device), ssim).cpu()

    return errors


def images_and_target(num: int, size: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(num * 1000 + height * 100 + width)
    images = torch.rand(num, size, 3, height, width, generator=generator)
    # half alike, so that SSIM is far from 0
    target = 0.5 * images[0] + 0.5 * torch.rand(size, 3, height, width, generator=generator)
    return images, target


def gradient(errors: Tensor, images: Tensor, weights: Tensor) -> Tensor:
    (found,) = torch.autograd.grad((errors * weights).sum(), images)
    return found


@settings(deadline=None, max_examples=20)  # interpreted, one takes a second
@given(st.integers(1, 3), st.integers(1, 2), SIZES, SIZES, st.sampled_from([0.0, 0.85, 1.0]))
def test_they_and_their_gradients_are_those_of_tensors(
    compiled: Way, num: int, size: int, height: int, width: int, ssim: float
) -> None:
    images, target = images_and_target(num, size, height, width)
    weights = torch.rand(num, size, height, width)
    single, double = images.clone().requires_grad_(), images.double().requires_grad_()
    found = compiled(single, target, ssim)
    expected = PhotometricError(target.double(), ssim)(double)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        gradient(found, single, weights).double(),
        gradient(expected, double, weights.double()),
        rtol=1e-3,
        atol=1e-4,
    )


def test_equal_images_have_no_error(compiled: Way) -> None:
    images, _ = images_and_target(2, 1, 8, 12)
    for image in images:
        assert torch.equal(compiled(image[None], image, 0.85), torch.zeros(1, 1, 8, 12))


def test_the_layout_in_memory_makes_no_difference(compiled: Way) -> None:
    images, target = images_and_target(2, 2, 8, 12)
    turned = images.transpose(0, 1).contiguous().transpose(0, 1)
    last = target.contiguous(memory_format=torch.channels_last)
    assert torch.equal(compiled(turned, last, 0.85), compiled(images, target, 0.85))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_not_finite_stays_visible_where_a_window_sees_it(
    compiled: Way, value: float
) -> None:
    images, target = images_and_target(1, 1, 8, 12)
    images[0, 0, 1, 3, 5] = value
    lost = ~compiled(images, target, 0.85)[0, 0].isfinite()
    expected = torch.zeros(8, 12, dtype=torch.bool)
    expected[2:5, 4:7] = True
    assert torch.equal(lost, expected)


def test_a_target_of_another_size_is_refused(compiled: Way) -> None:
    images, target = images_and_target(1, 2, 8, 12)
    with pytest.raises(RuntimeError, match="size"):
        compiled(images, target[..., :-1], 0.85)


def test_a_single_row_is_refused(compiled: Way) -> None:
    with pytest.raises(ValueError, match="at least 2x2"):
        compiled(torch.rand(1, 1, 3, 1, 8), torch.rand(1, 3, 1, 8), 0.85)
