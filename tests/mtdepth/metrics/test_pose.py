"""The trajectory error: free of scale and of where the world lies, and a value by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtdepth.metrics.pose import ate_snippets


def a_drive(num_frames: int, seed: int = 0) -> np.ndarray:
    """(N, 4, 4) world_T_cam, forward with a little turn."""
    rng = np.random.default_rng(seed)
    poses = [np.eye(4)]
    for _ in range(num_frames - 1):
        angle = rng.normal(0, 0.05)
        step = np.eye(4)
        step[0, 0] = step[2, 2] = np.cos(angle)
        step[0, 2], step[2, 0] = np.sin(angle), -np.sin(angle)
        step[:3, 3] = rng.normal([0, 0, 1], 0.1)
        poses.append(poses[-1] @ step)
    return np.stack(poses)


def motions(world_T_cam: np.ndarray, scale: float = 1.0) -> list[np.ndarray]:
    found = [np.linalg.inv(after) @ before for before, after in pairwise(world_T_cam)]
    for motion in found:
        motion[:3, 3] *= scale
    return found


@given(scale=st.floats(0.01, 100), seed=st.integers(0, 10))
def test_true_motion_has_no_error_at_any_scale(scale: float, seed: int) -> None:
    poses = a_drive(8, seed)
    assert ate_snippets(motions(poses, scale), poses) == pytest.approx([0] * 4, abs=1e-9)


def test_where_the_world_lies_does_not_matter() -> None:
    poses, other = a_drive(7), a_drive(7, seed=1)
    moved = a_drive(3, seed=2)[2] @ poses
    assert ate_snippets(motions(other), moved) == pytest.approx(ate_snippets(motions(other), poses))


def test_going_backwards_is_no_better_than_standing_still() -> None:
    poses = a_drive(5)
    still = ate_snippets([np.eye(4)] * 4, poses)
    backwards = ate_snippets(motions(np.linalg.inv(poses)), poses)
    assert backwards[0] > 0.1
    assert still[0] > 0.1


def test_by_hand() -> None:
    poses = np.stack([np.eye(4)] * 3)
    poses[1, :3, 3], poses[2, :3, 3] = [0, 0, 1], [1, 0, 1]
    forward = np.eye(4)
    forward[2, 3] = -1
    # predicted (0,0,0), (0,0,1), (0,0,2); best scale 3/5; squares: 0.4^2 + 1 + 0.2^2 = 1.2
    assert ate_snippets([forward, forward], poses) == pytest.approx([np.sqrt(1.2) / 3])


@pytest.mark.parametrize(("num_frames", "num_snippets"), [(2, 1), (5, 1), (6, 2), (12, 8)])
def test_number_of_snippets(num_frames: int, num_snippets: int) -> None:
    poses = a_drive(num_frames)
    assert len(ate_snippets(motions(poses), poses)) == num_snippets


def test_lengths_must_fit() -> None:
    with pytest.raises(ValueError, match="one more pose than motions, found 5 poses and 5"):
        ate_snippets([np.eye(4)] * 5, a_drive(5))
