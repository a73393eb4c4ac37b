"""Flip post-processing: a disparity map made of two looks at an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BORDER, MIDDLE = 0.05, 0.1
"""As shares of the width: up to the one, only one of the two maps counts; from the other on, both
count alike."""


def flip_mean(
    disparity: NDArray[np.floating], of_mirrored: NDArray[np.floating]
) -> NDArray[np.float64]:
    """The mean of a prediction and the mirrored-back prediction of the mirrored image.

    At the left border only the second counts and at the right one only the first, with ramps in
    between (Godard et al. 2017, "Post-processing"). A NaN in either makes a NaN there.

    Args:
        disparity: (..., H, W), of the image.
        of_mirrored: (..., H, W), of the mirrored image, as it was predicted.

    Returns:
        (..., H, W).
    """
    at = np.linspace(0, 1, disparity.shape[-1])
    left = np.interp(at, (BORDER, MIDDLE), (1.0, 0.0))
    weight = (1 + left[::-1] - left) / 2  # of the first: 0 at the left, 1/2, 1 at the right
    mixed: NDArray[np.float64] = weight * disparity + (1 - weight) * of_mirrored[..., ::-1]
    return mixed
