"""Why the photometric loss is compiled for CPUs: in tensors, warps and errors move images through
memory a hundred times, which a small network's step then mostly does.

Run by hand: `pytest -m slow -s tests/benchmarks`. The ratio is what counts, not the seconds.
"""

from __future__ import annotations

import time

import pytest
import torch
from torch import Tensor

from mtdepth.config import DepthConfig
from mtdepth.data.batch import Batch
from mtdepth.geometry import rigid_transform
from mtdepth.losses import fused
from mtdepth.losses.photometric import photometric_loss

SIZE, HEIGHT, WIDTH = 4, 96, 320
NUM_ROUNDS, REPEATS = 5, 4


def scene() -> tuple[Batch, tuple[Tensor, ...], Tensor]:
    rng = torch.Generator().manual_seed(0)
    intrinsics = torch.tensor([[186.0, 0, 159.5], [0, 184.0, 47.5], [0, 0, 1]])
    frames = torch.rand(SIZE, 3, 3, HEIGHT, WIDTH, generator=rng)
    batch = Batch(
        target=frames[:, 0],
        sources=frames[:, 1:],
        intrinsics=intrinsics.expand(SIZE, 3, 3),
        instances=None,
    )
    disparities = tuple(
        torch.rand(SIZE, 1, HEIGHT // 2**s, WIDTH // 2**s, generator=rng) for s in range(4)
    )
    turn, move = (torch.rand(SIZE, 2, 3, generator=rng) for _ in range(2))
    return batch, disparities, rigid_transform(0.02 * turn, 0.5 * move)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_compiled_loops_are_faster_than_tensors(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    batch, disparities, motion = scene()
    inputs = [x.requires_grad_() for x in (*disparities, motion)]

    def loss() -> float:
        torch.manual_seed(0)
        found = photometric_loss(disparities, motion, batch, DepthConfig())
        torch.autograd.grad(found, inputs)
        return found.item()

    def seconds() -> float:
        started = time.perf_counter()
        for _ in range(REPEATS):
            loss()
        return (time.perf_counter() - started) / REPEATS

    def in_tensors(_: Tensor) -> bool:
        return False

    takes = fused.takes
    losses, best = {}, {True: float("inf"), False: float("inf")}
    for _ in range(NUM_ROUNDS + 1):  # in turns, so that a busy machine slows down both
        for compiled in best:
            monkeypatch.setattr(fused, "takes", takes if compiled else in_tensors)
            losses[compiled] = loss()
            best[compiled] = min(best[compiled], seconds())
    torch.set_num_threads(before)
    ratio = best[False] / best[True]
    print(f"{threads} threads: compiled {best[True] * 1e3:.0f} ms, in tensors "
          f"{best[False] * 1e3:.0f} ms, {ratio:.1f} times")  # fmt: skip
    assert losses[True] == pytest.approx(losses[False], rel=1e-5)
    assert ratio > 2
