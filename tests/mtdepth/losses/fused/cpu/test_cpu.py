from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from mtdepth.losses.fused import photometric_errors
from tests.mtdepth.losses.fused.test_errors import images_and_target
from tests.mtdepth.losses.fused.test_warps import scene, warped_on

THREADS = [1, 3]


@pytest.fixture(autouse=True)
def as_many_threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_threads_make_no_difference_to_warps() -> None:
    depth_m, moved, sources = scene(0.3, 0.02)

    def found(threads: int) -> tuple[Tensor, ...]:
        torch.set_num_threads(threads)
        inputs = depth_m.clone().requires_grad_(), moved.clone().requires_grad_()
        warped = warped_on(torch.device("cpu"), *inputs, sources)
        return warped, *torch.autograd.grad(warped.square().sum(), inputs)

    assert all(map(torch.equal, *map(found, THREADS)))


def test_threads_make_no_difference_to_errors() -> None:
    images, target = images_and_target(4, 2, 16, 24)

    def found(threads: int) -> tuple[Tensor, ...]:
        torch.set_num_threads(threads)
        x = images.clone().requires_grad_()
        errors = photometric_errors(x, target, 0.85)
        return errors, *torch.autograd.grad(errors.square().sum(), x)

    assert all(map(torch.equal, *map(found, THREADS)))
