"""Our exponential linear unit is PyTorch's, but for rounding."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mtdepth.model.elu import elu

AS_IT_LIES = {"channels last": torch.channels_last, "channels first": torch.contiguous_format}


def spread(dtype: torch.dtype = torch.float32) -> Tensor:
    """Values of all magnitudes, and the ends of what there is."""
    sizes = 10 ** torch.linspace(-12, 3, 994)
    ends = torch.tensor([0.0, -0.0, math.inf, -math.inf, 100, -100, 1, -1, 1e-45, -1e-45, 88, -88])
    return torch.cat([sizes, -sizes, ends]).to(dtype).reshape(2, 4, 25, 10)


@pytest.mark.parametrize("layout", AS_IT_LIES)
def test_values_and_gradients_are_pytorchs(layout: str) -> None:
    mine = spread().to(memory_format=AS_IT_LIES[layout]).requires_grad_()
    theirs = mine.detach().clone().requires_grad_()
    found, expected = elu(mine), F.elu(theirs)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)
    assert found.stride() == expected.stride()
    outer = torch.randn(mine.shape, generator=torch.Generator().manual_seed(0))
    found.backward(outer)
    expected.backward(outer)
    torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-6, atol=1e-6)


def test_gradients_are_those_of_its_values() -> None:
    torch.manual_seed(0)
    assert torch.autograd.gradcheck(elu, torch.randn(40, dtype=torch.float64).requires_grad_())


def test_what_is_no_number_stays_none() -> None:
    assert elu(torch.tensor([math.nan])).isnan().all()


def test_half_precision_is_left_to_pytorch() -> None:
    x = spread(torch.bfloat16)
    assert torch.equal(elu(x), F.elu(x))
