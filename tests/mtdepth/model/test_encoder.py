"""The encoder's own convolutions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mtdepth.config import EncoderConfig
from mtdepth.model.encoder import Encoder, Shortcut


@pytest.mark.parametrize("stride", [1, 2])
def test_a_shortcut_is_a_strided_convolution(stride: int) -> None:
    torch.manual_seed(0)
    shortcut = Shortcut(8, 16, stride).double()
    x = torch.randn(2, 8, 6, 10, dtype=torch.double, requires_grad=True)
    found = shortcut(x.contiguous(memory_format=torch.channels_last))
    expected = F.conv2d(x, shortcut.weight, stride=stride)
    torch.testing.assert_close(found, expected)
    wanted = [x, shortcut.weight]
    torch.testing.assert_close(
        torch.autograd.grad(found.sin().sum(), wanted),
        torch.autograd.grad(expected.sin().sum(), wanted),
    )


def test_no_convolution_of_single_pixels_has_a_stride() -> None:
    """oneDNN's of features that lie channels last reads beyond its memory."""
    network = Encoder(EncoderConfig(width=8, weights="none"))
    strides = [m.stride for m in network.modules() if isinstance(m, nn.Conv2d)]
    kernels = [m.kernel_size for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert (1, 1) in kernels
    assert all(s == (1, 1) for k, s in zip(kernels, strides, strict=True) if k == (1, 1))
