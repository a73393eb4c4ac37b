"""Doubling a map is left to the layer that follows, and gives the same."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from mtdepth.model.attention import Mask
from mtdepth.model.decoder import conv3x3, conv_doubled


def doubled(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


@pytest.mark.parametrize("num_skipped", [0, 3])
def test_a_convolution_of_a_doubled_map(num_skipped: int) -> None:
    torch.manual_seed(0)
    layer = conv3x3(4 + num_skipped, 5).double()
    x = torch.rand(2, 4, 3, 5, dtype=torch.float64)
    skip = torch.rand(2, num_skipped, 6, 10, dtype=torch.float64)
    expected = layer(torch.cat([doubled(x), skip], 1))
    torch.testing.assert_close(conv_doubled(layer, x, skip if num_skipped else None), expected)


@pytest.mark.parametrize("training", [True, False])
def test_a_mask_of_a_doubled_map_and_what_batch_norm_learns(training: bool) -> None:
    torch.manual_seed(0)
    one, two = Mask(6, 3).double().train(training), Mask(6, 3).double().train(training)
    two.load_state_dict(one.state_dict())
    for _ in range(3):
        x = torch.randn(2, 6, 2, 3, dtype=torch.float64)
        torch.testing.assert_close(one.of_doubled(x), two(doubled(x)))
    for name, value in two.state_dict().items():
        torch.testing.assert_close(one.state_dict()[name], value, msg=name)
