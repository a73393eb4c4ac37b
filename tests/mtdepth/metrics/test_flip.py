"""Two looks at an image: who counts where."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mtdepth.metrics.flip import flip_mean


def test_two_looks_that_agree_change_nothing() -> None:
    disparity = np.random.default_rng(0).random((3, 7, 64))
    np.testing.assert_allclose(flip_mean(disparity, disparity[..., ::-1]), disparity, rtol=1e-12)


def test_mirroring_the_image_mirrors_the_mean() -> None:
    first, second = np.random.default_rng(1).random((2, 5, 64))
    np.testing.assert_allclose(flip_mean(second, first), flip_mean(first, second)[:, ::-1])


def test_borders_by_hand() -> None:
    # 101 columns are 1 % apart: up to 5 % one look, from 10 % on both, 7 % two fifths of the way
    found = flip_mean(np.ones((1, 101)), np.zeros((1, 101)))[0]
    assert found[[0, 5, 7, 10, 50, 90, 93, 95, 100]] == pytest.approx(
        [0, 0, 0.2, 0.5, 0.5, 0.5, 0.8, 1, 1]
    )


@pytest.mark.parametrize("width", [33, 192, 640])
def test_the_three_masks_of_the_paper_reckoned_otherwise(width: int) -> None:
    rng = np.random.default_rng(width)
    first, mirrored = rng.uniform(0.01, 1, (2, 4, width))
    second = np.fliplr(mirrored)
    expected = np.empty_like(first)
    for column in range(width):
        at = column / (width - 1)
        only_second = min(max(2 - 20 * at, 0), 1)
        only_first = min(max(2 - 20 * (1 - at), 0), 1)
        both = 1 - only_first - only_second
        expected[:, column] = (
            only_first * first[:, column]
            + only_second * second[:, column]
            + both * (first[:, column] + second[:, column]) / 2
        )
    np.testing.assert_allclose(flip_mean(first, mirrored), expected, rtol=1e-6)


def test_nan_is_not_hidden() -> None:
    first, second = np.ones((1, 100)), np.ones((1, 100))
    first[0, 40], second[0, 20] = math.nan, math.nan
    assert np.flatnonzero(np.isnan(flip_mean(first, second))).tolist() == [40, 79]
