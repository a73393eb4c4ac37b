"""Why SSIM's mean filter and gradient are written by hand: on a CPU they are what a training step
waits for, and these take a fraction of what autograd takes through `avg_pool2d`.

Run by hand: `pytest -m slow -s tests/benchmarks`. The ratio is what counts, not the seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mtdepth.losses.ssim import C1, C2, Dissimilarity

SHAPE = (4, 3, 64, 192)
NUM_ROUNDS, REPEATS = 5, 10


def mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 3, 1)


def by_autograd(x: Tensor, y: Tensor) -> Tensor:
    mean_x, mean_y = mean(x), mean(y)
    variance_x, variance_y = mean(x * x) - mean_x**2, mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    below = (mean_x**2 + mean_y**2 + C1) * (variance_x + variance_y + C2)
    return ((1 - above / below) / 2).clamp(0, 1).mean(1)


def by_hand(x: Tensor, y: Tensor) -> Tensor:
    return Dissimilarity(y)(x[None])[0]


def seconds(error: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor) -> float:
    started = time.perf_counter()
    for _ in range(REPEATS):
        error(x, y).mean().backward()
    return time.perf_counter() - started


@pytest.mark.slow
def test_the_gradient_by_hand_is_faster_than_autograds() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(SHAPE, generator=generator, requires_grad=True)
    y = torch.rand(SHAPE, generator=generator)
    torch.testing.assert_close(by_hand(x, y), by_autograd(x, y), atol=1e-5, rtol=1e-3)
    ours, theirs = float("inf"), float("inf")
    for _ in range(NUM_ROUNDS):  # in turns, so that a busy machine slows down both
        ours = min(ours, seconds(by_hand, x, y))
        theirs = min(theirs, seconds(by_autograd, x, y))
    print(f"by hand {ours / REPEATS * 1e3:.1f} ms, autograd {theirs / REPEATS * 1e3:.1f} ms, "
          f"{theirs / ours:.1f} times")  # fmt: skip
    assert theirs > 1.5 * ours
