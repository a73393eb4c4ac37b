import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtdepth.geometry import (
    backproject,
    depth_from_disparity,
    invert_rigid,
    project,
    reproject,
    resize_intrinsics,
    rigid_transform,
    rotation_from_axis_angle,
    sample,
    synthesise,
)

INTRINSICS = torch.tensor([[[20.0, 0.0, 15.5], [0.0, 24.0, 7.5], [0.0, 0.0, 1.0]]])
angles = st.tuples(*[st.floats(-3.0, 3.0)] * 3)


def test_a_quarter_turn_about_z_maps_x_to_y() -> None:
    rotation = rotation_from_axis_angle(torch.tensor([0.0, 0.0, math.pi / 2]))
    assert torch.allclose(
        rotation @ torch.tensor([1.0, 0, 0]), torch.tensor([0, 1.0, 0]), atol=1e-6
    )


@given(angles)
def test_rotations_are_orthonormal(angle: tuple[float, float, float]) -> None:
    rotation = rotation_from_axis_angle(torch.tensor(angle, dtype=torch.float64))
    assert torch.allclose(rotation @ rotation.T, torch.eye(3, dtype=torch.float64), atol=1e-9)
    assert torch.linalg.det(rotation).item() == pytest.approx(1.0)


@given(angles, angles)
def test_inverse_undoes_a_transform(angle: tuple[float, ...], move: tuple[float, ...]) -> None:
    a_T_b = rigid_transform(*(torch.tensor([x], dtype=torch.float64) for x in (angle, move)))
    assert torch.allclose(invert_rigid(a_T_b) @ a_T_b, torch.eye(4, dtype=torch.float64), atol=1e-9)


def test_rotation_is_differentiable_at_zero() -> None:
    zero = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(rotation_from_axis_angle, (zero,))
    axis_angle = torch.zeros(3, requires_grad=True)
    rotation_from_axis_angle(axis_angle)[2, 1].backward()
    assert torch.allclose(axis_angle.grad, torch.tensor([1.0, 0, 0]))


def test_identity_warp_is_exact() -> None:
    image = torch.rand(2, 3, 16, 32)
    depth_m = 1 + 50 * torch.rand(2, 1, 16, 32)
    warped = synthesise(image, depth_m, INTRINSICS.expand(2, 3, 3), torch.eye(4).expand(2, 4, 4))
    assert torch.allclose(warped, image, atol=1e-4)


def test_reprojecting_is_projecting_what_was_backprojected() -> None:
    torch.manual_seed(0)
    depth_m = 1 + 9 * torch.rand(2, 3, 1, 6, 8, dtype=torch.float64)  # two depths of three targets
    intrinsics = INTRINSICS.double().expand(3, 3, 3)
    matrices = rigid_transform(*(0.2 * torch.rand(2, 2, 1, 3, 3, dtype=torch.float64)))
    found = reproject(depth_m, intrinsics, matrices)  # by two motions
    assert found.shape == (2, 2, 3, 6, 8, 2)
    for motion in range(2):
        for depth in range(2):
            points = backproject(depth_m[depth], intrinsics)
            expected = project(points, intrinsics, matrices[motion, 0])
            torch.testing.assert_close(found[motion, depth], expected)


def test_projecting_what_was_backprojected_gives_the_pixels() -> None:
    depth_m = (1 + 50 * torch.rand(1, 1, 16, 32)).double()
    intrinsics = INTRINSICS.double()
    points = backproject(depth_m, intrinsics)
    assert torch.allclose(points[:, 2:], depth_m)
    pixels = project(points, intrinsics, torch.eye(4).double()[None])
    assert torch.allclose(pixels[0, 3, 5], torch.tensor([5.0, 3.0]).double())


def test_a_camera_moved_to_the_right_sees_a_point_further_left() -> None:
    source_T_target = torch.eye(4)[None].clone()
    source_T_target[0, 0, 3] = -0.5  # the source stands half a metre to the right
    points = torch.tensor([0.0, 0.0, 10.0]).view(1, 3, 1, 1)
    u, v = project(points, INTRINSICS, source_T_target)[0, 0, 0].tolist()
    assert (u, v) == pytest.approx((15.5 - 20.0 * 0.5 / 10, 7.5))


def test_sampling_between_pixels_is_bilinear_and_repeats_the_border() -> None:
    image = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
    pixels = torch.tensor([[[[0.5, 0.5], [-7.0, 0.0], [1.0, 9.0]]]])
    assert sample(image, pixels).flatten().tolist() == pytest.approx([1.5, 0.0, 3.0])


def test_points_behind_the_camera_give_no_nan() -> None:
    points = (
        torch.tensor([[1.0, 1.0, -5.0], [0.0, 0.0, 0.0]]).T.reshape(1, 3, 1, 2).requires_grad_()
    )
    pixels = project(points, INTRINSICS, torch.eye(4)[None])
    sample(torch.rand(1, 3, 16, 32), pixels).sum().backward()
    assert pixels.isfinite().all()
    assert points.grad is not None
    assert points.grad.isfinite().all()


def test_a_coordinate_that_is_nan_stays_visible_and_ends_no_process() -> None:
    """Going back from a NaN, `grid_sample` writes outside the image on a CPU: pytorch #24823."""
    pixels = torch.full((1, 16, 32, 2), torch.nan)
    pixels[0, 3, 5] = 4.0
    pixels[0, 7, 7, 1] = 2.0
    image = torch.rand(1, 3, 16, 32, requires_grad=True)
    found = sample(image, pixels.requires_grad_())
    assert torch.equal(found[0, :, 3, 5], image[0, :, 4, 4])
    assert found.isnan().sum() == 3 * (16 * 32 - 1)
    found.sum().backward()


def test_resizing_keeps_the_corners_of_the_image() -> None:
    half = resize_intrinsics(INTRINSICS, 0.5, 0.5)[0]
    ray = torch.linalg.inv(INTRINSICS[0]) @ torch.tensor([-0.5, -0.5, 1.0])
    assert torch.allclose(half @ ray, torch.tensor([-0.5, -0.5, 1.0]), atol=1e-6)


def test_disparity_spans_the_range_of_depth() -> None:
    disparity = torch.tensor([0.0, 0.5, 1.0])
    depth = depth_from_disparity(disparity, 0.1, 100.0)
    assert depth.tolist() == pytest.approx([100.0, 1 / (0.01 + 0.5 * 9.99), 0.1])


def test_a_rotation_is_the_exponential_of_its_cross_matrix() -> None:
    """Rodrigues' formula has this limit; angles from a thousandth to nearly a half turn."""
    rng = torch.Generator().manual_seed(0)
    axis_angle = torch.randn(40, 3, generator=rng)
    axis_angle *= torch.logspace(-3, 0.49, 40)[:, None] / axis_angle.norm(dim=1, keepdim=True)
    x, y, z = axis_angle.double().unbind(1)
    cross = torch.zeros(40, 3, 3, dtype=torch.float64)
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -z, y, -x
    expected = torch.linalg.matrix_exp(cross - cross.mT)
    found = rotation_from_axis_angle(axis_angle)
    assert torch.allclose(found.double(), expected, rtol=0, atol=1e-5)


def a_view() -> tuple[torch.Tensor, torch.Tensor]:
    """Depths (1, 1, 4, 6), and a source that is turned and moved; float64."""
    depth_m = 2 + 30 * torch.rand(1, 1, 4, 6, generator=torch.Generator().manual_seed(0)).double()
    turn, move = torch.tensor([[0.1, -0.2, 0.05]]), torch.tensor([[0.3, -0.1, 0.8]])
    return depth_m, rigid_transform(turn.double(), move.double())


def test_points_and_pixels_against_numpy() -> None:
    depth_m, source_T_target = a_view()
    (fx, _, cx), (_, fy, cy), _ = INTRINSICS[0].tolist()
    points = backproject(depth_m.float(), INTRINSICS)
    pixels = project(points, INTRINSICS, source_T_target.float())
    matrix = source_T_target[0].numpy()
    for v in range(4):
        for u in range(6):
            z = depth_m[0, 0, v, u].item()
            point = np.array([z * (u - cx) / fx, z * (v - cy) / fy, z])
            x, y, z = matrix[:3, :3] @ point + matrix[:3, 3]
            seen = [fx * x / z + cx, fy * y / z + cy]
            np.testing.assert_allclose(points[0, :, v, u].numpy(), point, rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(pixels[0, v, u].numpy(), seen, rtol=1e-5, atol=1e-5)


def test_gradients_agree_with_finite_differences() -> None:
    depth_m, source_T_target = (x.requires_grad_() for x in a_view())
    intrinsics = INTRINSICS.double()

    def pixels(depth_m: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
        return project(backproject(depth_m, intrinsics), intrinsics, matrix)

    assert torch.autograd.gradcheck(pixels, (depth_m, source_T_target))
    turns = torch.tensor([[0.3, -1.0, 2.0], [1e-4, 0.0, -1e-4], [3.1, 0.0, 0.0]]).double()
    assert torch.autograd.gradcheck(rotation_from_axis_angle, turns.requires_grad_())
    disparity = torch.linspace(0.01, 1, 7).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: depth_from_disparity(x, 0.1, 100.0), disparity)
    image = torch.rand(1, 2, 4, 6).double().requires_grad_()
    places = torch.tensor([[[[0.3, 0.6], [3.4, 1.7], [4.2, 2.9]]]]).double().requires_grad_()
    assert torch.autograd.gradcheck(sample, (image, places))
