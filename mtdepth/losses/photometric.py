"""monodepth2's photometric loss: minimum reprojection, automasking, multiple scales
(Godard et al. 2019, sec. 3.2)."""

from __future__ import annotations

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from mtdepth.config import DepthConfig
from mtdepth.data.batch import Batch
from mtdepth.geometry import depth_from_disparity, pixel_motion, reproject, sample
from mtdepth.losses import fused
from mtdepth.losses.ssim import Dissimilarity
from mtdepth.together import team

TIE = 1e-5
"""Noise on the identity error, so that a static pixel is not masked by a tie."""


class PhotometricError:
    """Photometric error against one batch of targets, whose statistics are computed once.

    Args:
        target: (B, 3, H, W) in [0, 1].
        ssim: share of SSIM; the rest is L1 (Godard et al. 2019, sec. 3.1).
    """

    def __init__(self, target: Tensor, ssim: float) -> None:
        self.target, self.ssim = target, ssim

    @cached_property
    def _dissimilarity(self) -> Dissimilarity:
        return Dissimilarity(self.target)

    def __call__(self, images: Tensor) -> Tensor:
        """Error of images (N, B, 3, H, W) as (N, B, H, W), at least 0, and 0 for the target."""
        if fused.takes(images):
            return fused.photometric_errors(images, self.target, self.ssim)
        l1 = (images - self.target).abs().mean(2)
        if self.ssim == 0:
            return l1
        return self.ssim * self._dissimilarity(images) + (1 - self.ssim) * l1


def warp_sources(depth_m: Tensor, source_T_target: Tensor, batch: Batch) -> Tensor:
    """Both sources, warped into the target.

    Args:
        depth_m: (S, B, 1, H, W), depth of the target at S scales, all upsampled to full size.
        source_T_target: (B, 2, 4, 4).
        batch: the frames and intrinsics.

    Returns:
        (2, S, B, 3, H, W).
    """
    if fused.takes(depth_m):
        motion = pixel_motion(batch.intrinsics, source_T_target.transpose(0, 1))
        return fused.warp(depth_m, motion, batch.sources)
    pixels = reproject(
        depth_m, batch.intrinsics, source_T_target.transpose(0, 1)[:, None]
    )  # (2, S, B, H, W, 2)
    sources = batch.sources.transpose(0, 1)[:, None].expand(-1, len(depth_m), -1, -1, -1, -1)
    return sample(sources.flatten(0, 2), pixels.flatten(0, 2)).unflatten(0, pixels.shape[:3])


def upsampled_depth(disparities: tuple[Tensor, ...], config: DepthConfig) -> Tensor:
    """Depth in metres at the size of scale 0, (S, B, 1, H, W), from sigmoid disparities."""
    size = disparities[0].shape[-2:]
    full = [disparities[0]] + [
        F.interpolate(x, size, mode="bilinear", align_corners=False) for x in disparities[1:]
    ]
    return depth_from_disparity(torch.stack(full), config.min_m, config.max_m)


def photometric_loss(
    disparities: tuple[Tensor, ...], source_T_target: Tensor, batch: Batch, config: DepthConfig
) -> Tensor:
    """Mean over pixels and scales of the smallest error over sources (Godard et al. 2019, eq. 4).

    Automasking (eq. 5) leaves a pixel its unwarped error where that is smaller: a constant, which
    teaches nothing.

    Args:
        disparities: scales 0 to S-1, (B, 1, H/2^s, W/2^s) in [0, 1].
        source_T_target: (B, 2, 4, 4).
        batch: frames (sources and target) and intrinsics.
        config: range of depth, share of SSIM, automasking.
    """
    error = PhotometricError(batch.target, config.ssim)
    warped = warp_sources(upsampled_depth(disparities, config), source_T_target, batch)
    reprojection = error(warped.flatten(0, 1)).unflatten(0, warped.shape[:2]).amin(0)  # (S,B,H,W)
    if config.automask:
        with torch.no_grad():
            identity = error(batch.sources.transpose(0, 1)).amin(0)  # (B, H, W)
            identity = identity + TIE * team.noise_like(identity)
        reprojection = torch.minimum(reprojection, identity)
    return reprojection.mean()
