"""The losses of a step as the paper writes them (Godard et al. 2019, sec. 3), scale by scale.

Nothing is shared between scales: each has its own grids, warps, and errors of warped and unwarped
frames, 16 maps of SSIM a step, and autograd works out all gradients.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mtdepth.bench.plain_batch import PlainBatch
from mtdepth.config import TrainConfig
from mtdepth.losses.offsets import offset_loss
from mtdepth.losses.photometric import TIE
from mtdepth.losses.ssim import C1, C2
from mtdepth.model.network import Predictions


def task_losses(
    predictions: Predictions, batch: PlainBatch, config: TrainConfig
) -> dict[str, Tensor]:
    """What `mtdepth.losses.task_losses` says of the same batch."""
    losses = {}
    if "depth" in config.tasks:
        assert predictions.disparities is not None
        num_scales = len(predictions.disparities)
        scales = [_scale(scale, predictions, batch, config) for scale in range(num_scales)]
        losses["depth"] = torch.stack(scales).mean()
    if "instances" in config.tasks:
        assert predictions.offsets is not None
        losses["instances"] = config.offsets.factor * offset_loss(
            predictions.offsets, batch.labels(), config.offsets
        )
    return losses


def _scale(scale: int, predictions: Predictions, batch: PlainBatch, config: TrainConfig) -> Tensor:
    assert predictions.disparities is not None
    assert predictions.source_T_target is not None
    disparity, target = predictions.disparities[scale], batch.color[0][0]
    size = target.shape[-2:]
    full = F.interpolate(disparity, size, mode="bilinear", align_corners=False)
    depth_m = 1 / (
        1 / config.depth.max_m + (1 / config.depth.min_m - 1 / config.depth.max_m) * full
    )
    poses = predictions.source_T_target.unbind(1)
    sources = (batch.color[1][0], batch.color[2][0])
    warped = [
        _warp(image, depth_m, batch.intrinsics, pose)
        for image, pose in zip(sources, poses, strict=True)
    ]
    errors = torch.cat([_error(image, target, config.depth.ssim) for image in warped], 1)
    if config.depth.automask:
        still = torch.cat([_error(image, target, config.depth.ssim) for image in sources], 1)
        errors = torch.cat([errors, still + TIE * torch.randn_like(still)], 1)
    smooth = _smoothness(disparity, batch.color[0][scale])
    return errors.amin(1).mean() + config.depth.smoothness * smooth / 2**scale


def _warp(source: Tensor, depth_m: Tensor, intrinsics: Tensor, source_T_target: Tensor) -> Tensor:
    size, _, height, width = depth_m.shape
    v, u = torch.meshgrid(
        torch.arange(height, dtype=depth_m.dtype, device=depth_m.device),
        torch.arange(width, dtype=depth_m.dtype, device=depth_m.device),
        indexing="ij",
    )
    ones = torch.ones_like(u)
    pixels = torch.stack([u, v, ones]).flatten(1).expand(size, 3, -1)
    points = depth_m.view(size, 1, -1) * (torch.linalg.inv(intrinsics) @ pixels)
    homogeneous = torch.cat([points, ones.view(1, 1, -1).expand(size, 1, -1)], 1)
    seen = (intrinsics @ source_T_target[:, :3]) @ homogeneous
    places = (seen[:, :2] / seen[:, 2:].clamp(min=1e-3)).view(size, 2, height, width)
    x, y = places[:, 0] / (width - 1), places[:, 1] / (height - 1)
    grid = torch.stack([x, y], -1) * 2 - 1
    return F.grid_sample(source, grid, padding_mode="border", align_corners=True)


def _error(image: Tensor, target: Tensor, share: float) -> Tensor:
    """(B, 1, H, W)"""
    l1 = (target - image).abs().mean(1, keepdim=True)
    return share * _dissimilarity(image, target).mean(1, keepdim=True) + (1 - share) * l1


def _dissimilarity(x: Tensor, y: Tensor) -> Tensor:
    """(1 - SSIM) / 2 in 3x3 windows (Wang et al. 2004, eq. 13)."""
    x, y = (F.pad(image, (1, 1, 1, 1), mode="reflect") for image in (x, y))
    mean_x, mean_y = F.avg_pool2d(x, 3, 1), F.avg_pool2d(y, 3, 1)
    variance_x = F.avg_pool2d(x**2, 3, 1) - mean_x**2
    variance_y = F.avg_pool2d(y**2, 3, 1) - mean_y**2
    covariance = F.avg_pool2d(x * y, 3, 1) - mean_x * mean_y
    above = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    below = (mean_x**2 + mean_y**2 + C1) * (variance_x + variance_y + C2)
    return ((1 - above / below) / 2).clamp(0, 1)


def _smoothness(disparity: Tensor, image: Tensor) -> Tensor:
    disparity = disparity / (disparity.mean((2, 3), keepdim=True) + 1e-7)
    cost = torch.zeros((), device=disparity.device)
    for axis in (2, 3):
        size = disparity.shape[axis] - 1
        steps = disparity.narrow(axis, 0, size) - disparity.narrow(axis, 1, size)
        edges = image.narrow(axis, 0, size) - image.narrow(axis, 1, size)
        weight = torch.exp(-edges.abs().mean(1, keepdim=True))
        cost = cost + (steps.abs() * weight).mean()
    return cost
