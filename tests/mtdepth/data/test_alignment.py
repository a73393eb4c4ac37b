"""Clouds of points laid on each other: known shifts are found, whatever part of a shape is seen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mtdepth.data.alignment import align

Points = NDArray[np.float64]


def corner(num: int = 60) -> Points:
    """Two sides of a car, 2 m and 4 m long, as a lidar sees them."""
    steps = np.linspace(0, 1, num)
    back = np.stack([2 * steps, np.zeros(num)], 1)
    side = np.stack([np.zeros(num), 4 * steps], 1)
    return np.concatenate([back, side])


@pytest.mark.parametrize("seed", range(5))
def test_a_shift_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shift_m = rng.uniform(-0.8, 0.8, 2)
    cloud = corner()
    other = rng.permutation(cloud) + shift_m
    found = align(cloud, other, np.zeros(2))
    assert found.shift_m == pytest.approx(shift_m, abs=0.05)
    assert found.residual_m < 0.04  # the points are 3 and 7 cm apart
    exact = align(cloud, other, shift_m)
    assert exact.shift_m == pytest.approx(shift_m, abs=1e-12)
    assert exact.residual_m == pytest.approx(0, abs=1e-12)


def test_backwards_it_is_the_opposite_shift() -> None:
    rng = np.random.default_rng(0)
    cloud, other = (corner(n) + 0.02 * rng.standard_normal((2 * n, 2)) for n in (40, 70))
    start = np.array([0.3, -0.2])
    there, back = align(cloud, other, start), align(other, cloud, -start)
    assert there.shift_m == pytest.approx(-back.shift_m, abs=1e-12)
    assert there.residual_m == pytest.approx(back.residual_m)


@pytest.mark.parametrize("swapped", [False, True])
def test_what_is_hidden_in_one_of_them_does_not_pull(swapped: bool) -> None:
    whole, part = corner(), corner()[:90]  # half of the side is hidden
    clouds = (part, whole) if swapped else (whole, part)
    found = align(clouds[0], clouds[1], np.zeros(2))
    assert found.shift_m == pytest.approx([0, 0], abs=1e-12)
    assert np.hypot(*(np.median(part, axis=0) - np.median(whole, axis=0))) > 0.3


def test_a_fifth_of_the_points_may_be_of_something_else() -> None:
    # by hand: four points fit with a shift of (0, 0.3), whatever the fifth does
    cloud = np.array([[0.0, 0], [2, 0], [4, 0], [6, 0], [50, 0]])
    other = np.array([[0, 0.3], [2, 0.3], [4, 0.3], [6, 0.3], [50, 9]])
    found = align(cloud, other, np.zeros(2))
    assert found.shift_m == pytest.approx([0, 0.3])
    assert found.residual_m == pytest.approx(0, abs=1e-12)


def test_the_residual_by_hand() -> None:
    # four of five points are 10 cm off, on both sides: no shift mends that; the fifth is far off
    cloud = np.array([[0.0, 0], [10, 0], [20, 0], [30, 0], [40, 0]])
    other = cloud + np.array([[0, 0.1], [0, -0.1], [0, 0.1], [0, -0.1], [0, 5]])
    found = align(cloud, other, np.zeros(2))
    assert found.shift_m == pytest.approx([0, 0], abs=1e-12)
    assert found.residual_m == pytest.approx(0.1)


def test_a_single_point_is_a_cloud() -> None:
    found = align(np.array([[1.0, 2]]), np.array([[4.0, -2]]), np.zeros(2))
    assert found.shift_m == pytest.approx([3, -4])
    assert found.residual_m == pytest.approx(0)


def test_it_finds_the_best_nearby_and_no_other() -> None:
    row = np.array([[0.0, 0]])
    others = np.array([[-1.0, 0], [2, 0]])
    # one way, the point goes to the nearer of two
    assert align(row, others, np.zeros(2)).shift_m == pytest.approx([-1, 0])
    assert align(row, others, np.array([1.0, 0])).shift_m == pytest.approx([2, 0])
