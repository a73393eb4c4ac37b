"""How good the camera's motion is: over snippets of five frames, and over a whole trajectory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NUM_FRAMES = 5
"""Frames of a snippet (Zhou et al. 2017, sec. 4.2)."""

Floats = NDArray[np.float64]


def ate_snippets(
    after_T_target: Sequence[NDArray[np.floating]],
    world_T_cam: NDArray[np.floating],
    num_frames: int = NUM_FRAMES,
) -> list[float]:
    """Absolute trajectory error of each snippet of a run of consecutive frames.

    A snippet starts at its first camera, and its scale is the one that fits the truth best. The
    error is the root of the summed squared distances over the number of frames, as those who
    defined it compute it (Zhou et al. 2017); it is the root mean square over its square root.
    monodepth2's script also counts the shorter snippets at a run's end, and does not invert the
    motions that it chains: its numbers differ a little.

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
    predicted = trajectory(motions)[:, :3, 3]
    true = (np.linalg.inv(world_T_cam[0]) @ world_T_cam)[:, :3, 3]
    squares = float((predicted**2).sum())
    scale = float((predicted * true).sum()) / squares if squares > 0 else 1.0
    return float(np.sqrt(((scale * predicted - true) ** 2).sum()) / len(true))


def trajectory(after_T_target: Sequence[NDArray[np.floating]]) -> Floats:
    """Poses `first_T_cam` (N, 4, 4) of a run, from its N - 1 motions (4, 4) to the next frame."""
    first_T_cam = [np.eye(4)]
    for motion in after_T_target:
        first_T_cam.append(first_T_cam[-1] @ np.linalg.inv(motion))
    return np.stack(first_T_cam)


def trajectory_errors(
    predicted_T_cam: NDArray[np.floating], world_T_cam: NDArray[np.floating]
) -> dict[str, float]:
    """Errors of a whole trajectory after its best alignment: rotation, translation and scale.

    Args:
        predicted_T_cam: (N, 4, 4) poses in any world, at any scale; N at least 2.
        world_T_cam: (N, 4, 4) true poses in metres.

    Returns:
        `ate_full`, the root mean square distance of positions in metres (Sturm et al. 2012), which
        is 0 for any two frames that differ; `rpe_m` and `rpe_deg`, how far the motion from a frame
        to the next is off on average, in metres and degrees (Zhan et al. 2020, whose tables of
        KITTI have means here). A pose that is not finite makes them NaN.
    """
    if predicted_T_cam.shape != world_T_cam.shape or len(world_T_cam) < 2:
        raise ValueError(
            f"expected as many predicted as true poses, at least 2, found "
            f"{len(predicted_T_cam)} and {len(world_T_cam)}"
        )
    if not (np.isfinite(predicted_T_cam).all() and np.isfinite(world_T_cam).all()):
        return dict.fromkeys(("ate_full", "rpe_m", "rpe_deg"), float("nan"))
    positions, true = predicted_T_cam[:, :3, 3], world_T_cam[:, :3, 3]
    scale, rotation, shift = umeyama(positions, true)
    distances = np.linalg.norm(scale * positions @ rotation.T + shift - true, axis=1)
    steps, true_steps = _steps(predicted_T_cam), _steps(world_T_cam)
    drift = np.linalg.norm(scale * steps[:, :3, 3] - true_steps[:, :3, 3], axis=1)
    turns = true_steps[:, :3, :3].transpose(0, 2, 1) @ steps[:, :3, :3]
    return {
        "ate_full": float(np.sqrt(np.mean(distances**2))),
        "rpe_m": float(drift.mean()),
        "rpe_deg": float(np.degrees(_angles_rad(turns)).mean()),
    }


def umeyama(
    points: NDArray[np.floating], onto: NDArray[np.floating]
) -> tuple[float, Floats, Floats]:
    """Scale, rotation (3, 3) and translation (3,) that bring (N, 3) points closest to others.

    In least squares, and never by a reflection (Umeyama 1991, eq. 40 to 43). Points that all lie
    in one place have no scale of their own: it is 1.
    """
    centred, target = points - points.mean(0), onto - onto.mean(0)
    left, strengths, right = np.linalg.svd(target.T @ centred / len(points))
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    rotation = left * signs @ right
    variance = float((centred**2).sum()) / len(points)
    tiny = float(np.finfo(np.float64).tiny)
    scale = float(strengths @ signs) / variance if variance > tiny else 1.0
    return scale, rotation, onto.mean(0) - scale * rotation @ points.mean(0)


def _steps(world_T_cam: NDArray[np.floating]) -> Floats:
    """(N - 1, 4, 4), each pose as its predecessor sees it."""
    return np.linalg.inv(world_T_cam[:-1]) @ world_T_cam[1:]


def _angles_rad(rotations: NDArray[np.floating]) -> Floats:
    """(N,) in [0, pi], exact for small angles too, where a cosine alone tells nothing."""
    cosine = (np.trace(rotations, axis1=1, axis2=2) - 1) / 2
    skew = rotations - rotations.transpose(0, 2, 1)
    return np.arctan2(np.linalg.norm(skew, axis=(1, 2)) / np.sqrt(8), cosine)
