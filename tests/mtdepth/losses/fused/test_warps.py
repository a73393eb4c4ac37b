"""A CPU's and a GPU's warps against those in tensors, in float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from mtdepth.data.batch import Batch
from mtdepth.geometry import pixel_motion, rigid_transform
from mtdepth.losses.fused import warp
from mtdepth.losses.photometric import warp_sources

pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
"""Which NumPy has where Triton is interpreted."""
Way = Callable[[Tensor, Tensor, Tensor], Tensor]

HEIGHT, WIDTH = 24, 40
INTRINSICS = torch.tensor([[30.0, 0, 19.0], [0, 32.0, 11.0], [0, 0, 1]])


def scene(move_m: float, turn: float) -> tuple[Tensor, Tensor, Tensor]:
    """Depths (3, 2, 1, H, W), motions (2, 2, 4, 4) and sources (2, 2, 3, H, W)."""
    rng = torch.Generator().manual_seed(5)

    def around(*shape: int) -> Tensor:
        return 2 * torch.rand(*shape, generator=rng) - 1

    depth_m = 6 + 4 * around(3, 2, 1, HEIGHT, WIDTH)
    motion = rigid_transform(turn * around(2, 2, 3), move_m * around(2, 2, 3))
    return depth_m, motion, torch.rand(2, 2, 3, HEIGHT, WIDTH, generator=rng)


@pytest.fixture
def compiled(device: torch.device) -> Way:
    return partial(warped_on, device)


def warped_on(
    device: torch.device, depth_m: Tensor, source_T_target: Tensor, sources: Tensor
) -> Tensor:
    motion = pixel_motion(INTRINSICS.expand(2, 3, 3), source_T_target.transpose(0, 1))
    return warp(*(x.to(device) for x in (depth_m, motion, sources))).cpu()


def in_tensors(depth_m: Tensor, source_T_target: Tensor, sources: Tensor) -> Tensor:
    """As it is for float64."""
    batch = Batch(
        target=sources[:, 0].double(),
        sources=sources.double(),
        intrinsics=INTRINSICS.double().expand(2, 3, 3),
        instances=None,
    )
    return warp_sources(depth_m.double(), source_T_target.double(), batch)


# within the image; beyond its borders; and so far that points come to lie behind the camera
@pytest.mark.parametrize(("move_m", "turn"), [(0.3, 0.02), (5.0, 0.5), (40.0, 3.0)])
def test_they_and_their_gradients_are_those_of_tensors(
    compiled: Way, move_m: float, turn: float
) -> None:
    depth_m, motion, sources = scene(move_m, turn)
    weights = torch.rand(2, 3, 2, 3, HEIGHT, WIDTH)
    found = []
    for way in (compiled, in_tensors):
        inputs = depth_m.clone().requires_grad_(), motion.clone().requires_grad_()
        warped = way(*inputs, sources)
        found.append((warped, *torch.autograd.grad((warped * weights).sum(), inputs)))
    (ours, by_depth, by_motion), (theirs, depth_of_theirs, motion_of_theirs) = found
    assert ((ours - theirs).abs() > 2e-4).float().mean() < 1e-3
    # a bilinear image has corners, where a rounded place can lie on another side
    off = (by_depth - depth_of_theirs).abs() > 1e-3 * depth_of_theirs.abs().max()
    assert off.float().mean() < 1e-3
    assert (by_motion - motion_of_theirs).abs().max() < 1e-2 * motion_of_theirs.abs().max()


def test_standing_still_changes_nothing_and_gives_gradients(compiled: Way) -> None:
    depth_m, _, sources = scene(0, 0)
    still = torch.eye(4).expand(2, 2, 4, 4).clone().requires_grad_()
    warped = compiled(depth_m, still, sources)
    expected = sources.transpose(0, 1)[:, None].expand_as(warped)
    torch.testing.assert_close(warped, expected, rtol=0, atol=1e-4)
    warped.sum().backward()
    assert still.grad is not None
    assert still.grad.isfinite().all()


def test_on_a_slope_gradients_are_exact(compiled: Way) -> None:
    """Of an image that grows by 1 a pixel to the right, a point at depth z moves by -f t / z."""
    slope = torch.arange(WIDTH, dtype=torch.float32).expand(2, 2, 3, HEIGHT, WIDTH)
    depth_m = torch.full((1, 2, 1, HEIGHT, WIDTH), 5.0, requires_grad=True)
    motion = torch.eye(4).expand(2, 2, 4, 4).clone()
    motion[..., 0, 3] = -0.5  # 3 pixels
    motion.requires_grad_()
    warped = compiled(depth_m, motion, slope)
    seen = warped[0, 0, 0, 0, :, 8:-8]
    torch.testing.assert_close(seen, slope[0, 0, 0, :, 8:-8] - 3, rtol=0, atol=1e-4)
    (by_depth, by_motion) = torch.autograd.grad(seen.sum(), (depth_m, motion))
    inside = by_depth[0, 0, 0, :, 8:-8]
    torch.testing.assert_close(inside, torch.full_like(inside, 30 * 0.5 / 25), rtol=1e-4, atol=0)
    assert by_motion[0, 0, 0, 3].item() == pytest.approx(30 / 5 * seen.numel(), rel=1e-4)
    assert by_depth[0, 1].abs().max() == 0


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 0.0, -5.0, 1e30])
def test_a_depth_that_cannot_be_ends_no_process(compiled: Way, value: float) -> None:
    depth_m, motion, sources = scene(0.3, 0.02)
    clean = compiled(depth_m, motion, sources)
    depth_m[1, 0, 0, 3, 5] = value
    depth_m.requires_grad_()
    warped = compiled(depth_m, motion, sources)
    warped.nansum().backward()
    changed = (warped != clean).any(3).any(0)  # (S, B, H, W); NaN differs from all
    changed[1, 0, 3, 5] = False
    assert not changed.any()
    if value != value:
        assert warped[:, 1, 0, :, 3, 5].isnan().all()


def test_a_motion_that_is_nan_stays_visible(compiled: Way) -> None:
    depth_m, motion, sources = scene(0.3, 0.02)
    motion[1, 0, 0, 3] = torch.nan
    lost = compiled(depth_m, motion, sources).isnan()
    assert lost[0, :, 1].all()
    assert lost.float().mean() == 0.25


def test_a_source_of_another_size_may_be_sampled(compiled: Way) -> None:
    depth_m, motion, sources = scene(0.3, 0.02)
    larger = torch.nn.functional.pad(sources.flatten(0, 1), (0, 7, 0, 3)).view(2, 2, 3, 27, 47)
    ours, padded = compiled(depth_m, motion, sources), compiled(depth_m, motion, larger)
    assert ours.shape == padded.shape
    same = (ours - padded).abs().amax(3) < 1e-6
    assert same[..., 8:-8, 8:-8].all()


@pytest.mark.parametrize("shape", [(3, 2, 3, HEIGHT, WIDTH), (2, 2, 4, HEIGHT, WIDTH)])
def test_shapes_that_do_not_fit_are_refused(compiled: Way, shape: tuple[int, ...]) -> None:
    depth_m, motion, _ = scene(0.3, 0.02)
    with pytest.raises(RuntimeError, match="size"):
        compiled(depth_m, motion, torch.rand(shape))
