"""Edge-aware smoothness of disparity (Godard et al. 2019, eq. 3)."""

from __future__ import annotations

import torch
from torch import Tensor

from mtdepth.losses.pyramid import image_pyramid


def smoothness(disparity: Tensor, image: Tensor) -> Tensor:
    """Mean gradient of mean-normalised disparity, where the image has none.

    Args:
        disparity: (B, 1, H, W), at least 0; all zeros give 0.
        image: (B, 3, H, W) in [0, 1].
    """
    normalised = disparity / (disparity.mean((2, 3), keepdim=True) + 1e-7)
    along_x = (normalised[..., :, 1:] - normalised[..., :, :-1]).abs()
    along_y = (normalised[..., 1:, :] - normalised[..., :-1, :]).abs()
    edges_x = (image[..., :, 1:] - image[..., :, :-1]).abs().mean(1, keepdim=True)
    edges_y = (image[..., 1:, :] - image[..., :-1, :]).abs().mean(1, keepdim=True)
    return (along_x * (-edges_x).exp()).mean() + (along_y * (-edges_y).exp()).mean()


def multiscale_smoothness(disparities: tuple[Tensor, ...], image: Tensor) -> Tensor:
    """Mean over scales of smoothness / 2^s, each against the image at that scale.

    Args:
        disparities: scales 0 to S-1, (B, 1, H/2^s, W/2^s).
        image: (B, 3, H, W) in [0, 1].
    """
    images = image_pyramid(image, len(disparities))
    costs = [
        smoothness(disparity, small) / 2**scale
        for scale, (disparity, small) in enumerate(zip(disparities, images, strict=True))
    ]
    return torch.stack(costs).mean()
