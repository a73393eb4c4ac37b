"""How good the camera's motion is: the absolute trajectory error of short snippets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NUM_FRAMES = 5
"""Frames of a snippet (Zhou et al. 2017, sec. 4.2)."""


def ate_snippets(
    after_T_target: Sequence[NDArray[np.floating]],
    world_T_cam: NDArray[np.floating],
    num_frames: int = NUM_FRAMES,
) -> list[float]:
    """Absolute trajectory error of each snippet of a run of consecutive frames.

    A snippet starts at its first camera, and its scale is the one that fits the truth best. The
    error is the root of the summed squared distances over the number of frames, as those who
    defined it compute it (Zhou et al. 2017); it is the root mean square over its square root.

    Args:
        after_T_target: N - 1 predicted motions (4, 4), each from a frame to the next.
        world_T_cam: (N, 4, 4) true poses in metres.
        num_frames: frames of a snippet; a run that is shorter is one snippet.

    Returns:
        One error in metres a snippet. A NaN in a motion makes NaNs of the snippets that hold it.
    """
    if len(world_T_cam) != len(after_T_target) + 1 or not after_T_target:
        raise ValueError(
            f"expected one more pose than motions, found {len(world_T_cam)} poses and "
            f"{len(after_T_target)} motions"
        )
    size = min(num_frames, len(world_T_cam))
    return [
        _ate(after_T_target[start : start + size - 1], world_T_cam[start : start + size])
        for start in range(len(world_T_cam) - size + 1)
    ]


def _ate(motions: Sequence[NDArray[np.floating]], world_T_cam: NDArray[np.floating]) -> float:
    first_T_cam = [np.eye(4)]
    for motion in motions:
        first_T_cam.append(first_T_cam[-1] @ np.linalg.inv(motion))
    predicted = np.stack(first_T_cam)[:, :3, 3]
    true = (np.linalg.inv(world_T_cam[0]) @ world_T_cam)[:, :3, 3]
    squares = float((predicted**2).sum())
    scale = float((predicted * true).sum()) / squares if squares > 0 else 1.0
    return float(np.sqrt(((scale * predicted - true) ** 2).sum()) / len(true))
