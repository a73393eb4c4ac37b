"""Trajectory errors: free of scale and of where the world lies, and values by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mtdepth.metrics.pose import ate_snippets, trajectory, trajectory_errors, umeyama


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


def test_snippets_reckoned_otherwise() -> None:
    true, predicted = a_drive(9), a_drive(9, seed=1)
    expected = []
    for start in range(5):
        p, t = (
            (poses[start : start + 5, :3, 3] - poses[start, :3, 3]) @ poses[start, :3, :3]
            for poses in (predicted, true)
        )
        _, squares, *_ = np.linalg.lstsq(p.reshape(-1, 1), t.ravel(), rcond=None)
        expected.append(np.sqrt(squares[0]) / 5)
    assert ate_snippets(motions(predicted), true) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("num_frames", "num_snippets"), [(2, 1), (5, 1), (6, 2), (12, 8)])
def test_number_of_snippets(num_frames: int, num_snippets: int) -> None:
    poses = a_drive(num_frames)
    assert len(ate_snippets(motions(poses), poses)) == num_snippets


def test_lengths_must_fit() -> None:
    with pytest.raises(ValueError, match="one more pose than motions, found 5 poses and 5"):
        ate_snippets([np.eye(4)] * 5, a_drive(5))


WHOLE = ("ate_full", "rpe_m", "rpe_deg")


def moved(poses: np.ndarray, scale: float, seed: int) -> np.ndarray:
    """Poses in another world, at another scale."""
    rng = np.random.default_rng(seed)
    world = np.eye(4)
    world[:3, :3] = Rotation.from_rotvec(rng.normal(0, 2, 3)).as_matrix()
    world[:3, 3] = rng.normal(0, 100, 3)
    scaled = poses.copy()
    scaled[:, :3, 3] *= scale
    return world @ scaled


def straight(num_frames: int, step_m: float = 1.0) -> np.ndarray:
    poses = np.stack([np.eye(4)] * num_frames)
    poses[:, 2, 3] = step_m * np.arange(num_frames)
    return poses


def turned(degrees: float) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("y", degrees, degrees=True).as_matrix()
    return pose


@given(scale=st.floats(0.01, 100), seed=st.integers(0, 50))
def test_the_true_trajectory_has_no_error_in_any_world(scale: float, seed: int) -> None:
    poses = a_drive(12, seed)
    found = trajectory_errors(moved(poses, scale, seed), poses)
    assert found == pytest.approx(dict.fromkeys(WHOLE, 0), abs=1e-9)


@given(scale=st.floats(0.01, 100), seed=st.integers(0, 50))
def test_the_world_and_scale_of_a_prediction_do_not_matter(scale: float, seed: int) -> None:
    true, predicted = a_drive(9, seed), a_drive(9, seed + 1)
    once = trajectory_errors(predicted, true)
    assert trajectory_errors(moved(predicted, scale, seed), true) == pytest.approx(once, rel=1e-6)
    assert min(once.values()) > 1e-3


def test_errors_are_in_the_metres_of_the_truth() -> None:
    true, predicted = a_drive(9), a_drive(9, seed=1)
    once, larger = (trajectory_errors(predicted, moved(true, s, 5)) for s in (1, 3))
    expected = [3 * once["ate_full"], 3 * once["rpe_m"], once["rpe_deg"]]
    assert [larger[name] for name in WHOLE] == pytest.approx(expected)


def test_motions_make_the_trajectory() -> None:
    poses = a_drive(20)
    np.testing.assert_allclose(trajectory(motions(poses)), poses, atol=1e-12)


def test_a_bend_that_is_not_seen_by_hand() -> None:
    poses = straight(3)
    poses[1, :3, 3], poses[2, :3, 3] = [0, 0, 1], [1, 0, 1]
    # about their means: variances 2/3 and 4/9, covariance 1/3 (1, 0, 1), so that the best scale
    # is (sqrt(2) / 3) / (2/3) and the squared error 4/9 - (2/9) / (2/3) = 1/9
    scale = np.sqrt(2) / 2
    # steps (0, 0, s) where (0, 0, 1) and (1, 0, 0) are true
    drift = ((1 - scale) + np.sqrt(1 + scale**2)) / 2
    found = trajectory_errors(straight(3), poses)
    assert found == pytest.approx({"ate_full": 1 / 3, "rpe_m": drift, "rpe_deg": 0}, abs=1e-12)


def test_turns_that_are_not_there_by_hand() -> None:
    predicted = straight(3)
    predicted[1] = predicted[1] @ turned(30)
    predicted[2] = predicted[2] @ turned(30 - 40)
    found = trajectory_errors(predicted, straight(3))
    assert found["ate_full"] == pytest.approx(0, abs=1e-12)
    assert found["rpe_deg"] == pytest.approx((30 + 40) / 2)
    # the second step, (0, 0, 1), is seen from a camera that looks 30 degrees aside
    assert found["rpe_m"] == pytest.approx(2 * np.sin(np.radians(15)) / 2)


@pytest.mark.parametrize("degrees", [1e-7, 90, 179.9999, 180])
def test_turns_of_every_size_are_exact(degrees: float) -> None:
    predicted = straight(2)
    predicted[1] = predicted[1] @ turned(degrees)
    assert trajectory_errors(predicted, straight(2))["rpe_deg"] == pytest.approx(degrees, rel=1e-6)


def test_where_nothing_moves_errors_are_finite() -> None:
    still, driving = straight(4, 0), straight(4)
    assert trajectory_errors(still, still) == dict.fromkeys(WHOLE, 0)
    # positions 0 to 3 about their mean, against one place: sqrt((1.5^2 + 0.5^2) / 2)
    found = trajectory_errors(still, driving)
    assert found == pytest.approx({"ate_full": np.sqrt(1.25), "rpe_m": 1, "rpe_deg": 0})
    # the scale that fits a truth that stands still is 0
    assert trajectory_errors(driving, still) == pytest.approx(dict.fromkeys(WHOLE, 0), abs=1e-12)


def test_a_straight_line_and_two_frames_fit_at_once() -> None:
    for true in (straight(7), straight(2), a_drive(2)):
        predicted = moved(straight(len(true), 0.1), 1, 3)
        assert trajectory_errors(predicted, true)["ate_full"] == pytest.approx(0, abs=1e-9)


def test_nan_makes_nan() -> None:
    predicted = a_drive(4)
    predicted[2, 0, 3] = np.nan
    assert all(np.isnan(list(trajectory_errors(predicted, a_drive(4)).values())))


def test_trajectories_must_fit() -> None:
    with pytest.raises(ValueError, match="as many predicted as true poses, at least 2, found 4"):
        trajectory_errors(a_drive(4), a_drive(5))
    with pytest.raises(ValueError, match="found 1 and 1"):
        trajectory_errors(a_drive(1), a_drive(1))


@pytest.mark.parametrize("seed", range(5))
def test_alignment_is_that_of_an_independent_solver(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, onto = rng.normal(0, 1, (2, 12, 3))
    scale, rotation, shift = umeyama(points, onto)
    a, b = points - points.mean(0), onto - onto.mean(0)
    expected = Rotation.align_vectors(b, a)[0].as_matrix()
    np.testing.assert_allclose(rotation, expected, atol=1e-6)
    assert scale == pytest.approx((b * (a @ expected.T)).sum() / (a**2).sum(), rel=1e-6)
    np.testing.assert_allclose(scale * rotation @ points.mean(0) + shift, onto.mean(0))


def test_alignment_never_mirrors() -> None:
    points = np.random.default_rng(0).normal(0, 1, (8, 3))
    scale, rotation, _ = umeyama(points, points * [1, 1, -1])
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert 0 <= scale < 1


def test_a_single_place_has_no_scale_of_its_own() -> None:
    assert umeyama(np.full((4, 3), 2.0), straight(4)[:, :3, 3])[0] == 1
    assert umeyama(straight(4)[:, :3, 3], np.full((4, 3), 2.0))[0] == 0
