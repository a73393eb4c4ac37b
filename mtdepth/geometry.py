"""Cameras, rigid motion and view synthesis.

The one home of the pixel-grid convention: the integer coordinates (u, v) are the *centre* of a
pixel, u to the right and v downwards, so that an image covers [-0.5, W - 0.5] x [-0.5, H - 0.5].
Resizing therefore moves the principal point by half pixels, and `grid_sample` is used with
`align_corners=True` on grids normalised by W - 1 and H - 1, which makes the identity warp exact.

A transform `a_T_b` maps points of frame b into frame a.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

NEAREST_M = 1e-3
"""Points nearer to a camera, or behind it, are divided by this depth instead of theirs."""


def resize_intrinsics(intrinsics: Tensor, scale_x: float, scale_y: float) -> Tensor:
    """Intrinsics of a resized image.

    Args:
        intrinsics: (..., 3, 3) in pixels.
        scale_x: new width over old width.
        scale_y: new height over old height.
    """
    shifted = intrinsics.clone()
    shifted[..., :2, 2] += 0.5
    shifted[..., 0, :] *= scale_x
    shifted[..., 1, :] *= scale_y
    shifted[..., :2, 2] -= 0.5
    return shifted


def rotation_from_axis_angle(axis_angle: Tensor) -> Tensor:
    """Rotation matrices by Rodrigues' formula, differentiable at zero.

    Args:
        axis_angle: (..., 3), the axis times the angle in radians.

    Returns:
        (..., 3, 3).
    """
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    angle = (axis_angle.square().sum(-1) + 1e-16).sqrt()[..., None, None]
    sine = torch.sinc(angle / torch.pi)
    one_minus_cosine = 0.5 * torch.sinc(angle / (2 * torch.pi)).square()
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return identity + sine * cross + one_minus_cosine * (cross @ cross)


def rigid_transform(axis_angle: Tensor, translation: Tensor) -> Tensor:
    """SE(3) matrices (..., 4, 4) from axis-angle (..., 3) and translation (..., 3)."""
    top = torch.cat([rotation_from_axis_angle(axis_angle), translation[..., None]], -1)
    bottom = torch.zeros_like(top[..., :1, :])
    bottom[..., 3] = 1
    return torch.cat([top, bottom], -2)


def invert_rigid(a_T_b: Tensor) -> Tensor:
    """b_T_a (..., 4, 4), by transposing the rotation."""
    rotation = a_T_b[..., :3, :3].mT
    top = torch.cat([rotation, -rotation @ a_T_b[..., :3, 3:]], -1)
    return torch.cat([top, a_T_b[..., 3:, :]], -2)


def pixel_grid(like: Tensor) -> Tensor:
    """Homogeneous pixel coordinates (3, H, W), u, v and 1, for maps (..., H, W) like these."""
    return _grid(like.shape[-2], like.shape[-1], like.dtype, like.device)


@lru_cache(maxsize=8)
def _grid(height: int, width: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    rows = torch.arange(height, dtype=dtype, device=device)
    columns = torch.arange(width, dtype=dtype, device=device)
    v, u = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([u, v, torch.ones_like(u)])


def backproject(depth_m: Tensor, intrinsics: Tensor) -> Tensor:
    """Points seen by each pixel, in the camera's frame.

    Args:
        depth_m: (B, 1, H, W) metres along z.
        intrinsics: (B, 3, 3) in pixels.

    Returns:
        (B, 3, H, W) metres.
    """
    pixels = pixel_grid(depth_m).flatten(1)  # (3, HW)
    rays = torch.linalg.inv(intrinsics) @ pixels  # (B, 3, HW)
    return depth_m * rays.unflatten(-1, depth_m.shape[-2:])


def project(points_m: Tensor, intrinsics: Tensor, source_T_target: Tensor) -> Tensor:
    """Where the source camera sees points of the target's frame.

    Points behind the camera land where the division by a clamped depth puts them; they come to lie
    outside the image, or cost what a wrong match costs, and never give NaN.

    Args:
        points_m: (B, 3, H, W) metres.
        intrinsics: (B, 3, 3) in pixels.
        source_T_target: (B, 4, 4).

    Returns:
        (B, H, W, 2) pixel coordinates (u, v).
    """
    matrix = intrinsics @ source_T_target[:, :3]  # (B, 3, 4)
    homogeneous = matrix[:, :, :3] @ points_m.flatten(2) + matrix[:, :, 3:]  # (B, 3, HW)
    pixels = homogeneous[:, :2] / homogeneous[:, 2:].clamp(min=NEAREST_M)
    return pixels.mT.unflatten(1, points_m.shape[-2:])


def reproject(depth_m: Tensor, intrinsics: Tensor, source_T_target: Tensor) -> Tensor:
    """Where the source camera sees what each pixel of the target sees.

    The same as to `backproject` and `project`, with what does not depend on depth worked out once.

    Args:
        depth_m: (..., 1, H, W) metres along z.
        intrinsics: (..., 3, 3) in pixels, of both.
        source_T_target: (..., 4, 4).

    Returns:
        (..., H, W, 2) pixel coordinates (u, v); leading dimensions are broadcast.
    """
    motion = pixel_motion(intrinsics, source_T_target)
    rays = motion[..., :3] @ pixel_grid(depth_m).flatten(1)
    seen = rays.unflatten(-1, depth_m.shape[-2:]) * depth_m + motion[..., 3, None, None]
    across, along = seen.split((2, 1), -3)
    return (across / along.clamp(min=NEAREST_M)).movedim(-3, -1)


def pixel_motion(intrinsics: Tensor, source_T_target: Tensor) -> Tensor:
    """How pixels move: takes (u z, v z, z, 1) of a pixel (u, v) at depth z into the source.

    Args:
        intrinsics: (..., 3, 3) in pixels, of both.
        source_T_target: (..., 4, 4).

    Returns:
        (..., 3, 4).
    """
    matrix = intrinsics @ source_T_target[..., :3, :]
    return torch.cat([matrix[..., :3] @ torch.linalg.inv(intrinsics), matrix[..., 3:]], -1)


def sample(image: Tensor, pixels: Tensor) -> Tensor:
    """Bilinear samples of an image, its border repeated outside; NaN where a coordinate is NaN.

    Args:
        image: (B, C, H, W).
        pixels: (B, h, w, 2) pixel coordinates (u, v).

    Returns:
        (B, C, h, w).
    """
    height, width = image.shape[-2:]
    u, v = pixels.unbind(-1)
    grid = torch.stack([u * (2 / max(width - 1, 1)), v * (2 / max(height - 1, 1))], -1)
    grid = (grid - 1).clamp(-2, 2)
    lost = grid.isnan().any(-1)  # (B, h, w)
    cares = grid.device.type != "cpu" or bool(lost.any())  # to ask a GPU would be to wait for it
    if cares:  # grid_sample takes NaN for a place inside, and going back from it can crash
        grid = grid.masked_fill(lost[..., None], 0)
    found = F.grid_sample(image, grid, padding_mode="border", align_corners=True)
    return found.masked_fill(lost[:, None], torch.nan) if cares else found


def synthesise(
    source: Tensor, depth_m: Tensor, intrinsics: Tensor, source_T_target: Tensor
) -> Tensor:
    """The target view, made of the colours of a source (Zhou et al. 2017, eq. 2).

    Args:
        source: (B, C, H, W) image.
        depth_m: (B, 1, H, W) depth of the target.
        intrinsics: (B, 3, 3) of both.
        source_T_target: (B, 4, 4).

    Returns:
        (B, C, H, W).
    """
    return sample(source, reproject(depth_m, intrinsics, source_T_target))


def depth_from_disparity(disparity: Tensor, min_m: float, max_m: float) -> Tensor:
    """Metres from sigmoid disparity in [0, 1] (Godard et al. 2019, sec. 3.3): 1 is `min_m`."""
    nearest, farthest = 1 / min_m, 1 / max_m
    return 1 / (farthest + (nearest - farthest) * disparity)
