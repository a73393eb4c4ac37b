"""Colours of a batch against torchvision's, one sample at a time."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms.v2 import functional

from mtdepth.data.jitter import CHANGES, draw_jitter, jitter

THEIRS = (
    functional.adjust_brightness,
    functional.adjust_contrast,
    functional.adjust_saturation,
    functional.adjust_hue,
)
seeds = st.integers(0, 1000)


def frames_of(num: int, seed: int) -> Tensor:
    """Of random colours; the last sample is grey, black and white, where hue has no meaning."""
    frames = torch.rand(num, 3, 3, 6, 9, generator=torch.Generator().manual_seed(seed))
    grey = torch.rand(3, 1, 6, 9, generator=torch.Generator().manual_seed(seed))
    frames[-1] = grey.round(decimals=1).expand(-1, 3, -1, -1)
    frames[-1, 0, :, 0], frames[-1, 0, :, 1] = 0, 1
    return frames


@pytest.mark.parametrize("index", range(len(CHANGES)))
@given(seeds)
def test_each_change_is_torchvisions(index: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    (low, high), frames = CHANGES[index][1], frames_of(3, seed)
    factors = low + (high - low) * torch.rand(3, generator=generator)
    found = CHANGES[index][0](frames, factors.view(-1, 1, 1, 1, 1))
    pairs = zip(frames, factors.tolist(), strict=True)
    expected = torch.stack([THEIRS[index](x, factor) for x, factor in pairs])
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


@given(seeds, st.integers(1, 7), st.floats(0, 1))
def test_samples_change_each_in_its_own_order(seed: int, num: int, share: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    chosen = (torch.rand(num, generator=generator) < share).tolist()
    drawn = [draw_jitter(generator) if one else [] for one in chosen]
    frames = frames_of(num, seed)
    expected = frames.clone()
    for sample, changes in zip(expected, drawn, strict=True):
        for index, factor in changes:
            sample.copy_(THEIRS[index](sample, factor))
    jitter(frames, drawn)
    torch.testing.assert_close(frames, expected, rtol=0, atol=1e-5)


def test_every_change_is_drawn_once_within_its_range() -> None:
    generator = torch.Generator().manual_seed(0)
    orders = set()
    for _ in range(200):
        drawn = draw_jitter(generator)
        orders.add(tuple(index for index, _ in drawn))
        assert sorted(index for index, _ in drawn) == [0, 1, 2, 3]
        assert all(CHANGES[i][1][0] <= factor <= CHANGES[i][1][1] for i, factor in drawn)
    assert len(orders) == 24
