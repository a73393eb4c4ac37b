from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from mtdepth.geometry import pixel_motion, rigid_transform
from mtdepth.losses.fused import photometric_errors, warp

THREADS = [1, 3]
INTRINSICS = torch.tensor([[30.0, 0, 19.0], [0, 32.0, 11.0], [0, 0, 1]])


@pytest.fixture(autouse=True)
def as_many_threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_threads_make_no_difference_to_warps() -> None:
    depth_m, sources = 2 + 8 * torch.rand(3, 2, 1, 24, 40), torch.rand(2, 2, 3, 24, 40)
    moved = rigid_transform(0.02 * torch.randn(2, 2, 3), 0.3 * torch.randn(2, 2, 3))

    def found(threads: int) -> tuple[Tensor, ...]:
        torch.set_num_threads(threads)
        inputs = depth_m.clone().requires_grad_(), moved.clone().requires_grad_()
        warped = warp(inputs[0], pixel_motion(INTRINSICS.expand(2, 3, 3), inputs[1]), sources)
        return warped, *torch.autograd.grad(warped.square().sum(), inputs)

    assert all(map(torch.equal, *map(found, THREADS)))


def test_threads_make_no_difference_to_errors() -> None:
    images, target = torch.rand(4, 2, 3, 16, 24), torch.rand(2, 3, 16, 24)

    def found(threads: int) -> tuple[Tensor, ...]:
        torch.set_num_threads(threads)
        x = images.clone().requires_grad_()
        errors = photometric_errors(x, target, 0.85)
        return errors, *torch.autograd.grad(errors.square().sum(), x)

    assert all(map(torch.equal, *map(found, THREADS)))
