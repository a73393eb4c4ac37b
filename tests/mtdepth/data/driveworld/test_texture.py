"""Textures: they tile, and fade to their mean with the pixel's footprint."""

from __future__ import annotations

import numpy as np
import pytest

from mtdepth.data.driveworld.solids import Array
from mtdepth.data.driveworld.texture import Ripmap, bake, build, noise

ROWS, COLS = 16, 32
TILES = np.random.default_rng(0).standard_normal((2, ROWS, COLS)).astype(np.float32)


def sample(
    ripmap: Ripmap, u: Array, v: Array, fu: float = 1, fv: float = 1, tile: int = 1
) -> Array:
    ones = np.ones(u.shape, np.float32)
    return ripmap.sample(
        np.full(u.shape, tile), u.astype("f4"), v.astype("f4"), fu * ones, fv * ones
    )


def centres() -> tuple[Array, Array]:
    v, u = np.mgrid[:ROWS, :COLS] + 0.5
    return u.ravel(), v.ravel()


def test_the_middle_of_a_texel_has_its_value() -> None:
    found = sample(build(TILES), *centres())
    assert found.reshape(ROWS, COLS) == pytest.approx(TILES[1], abs=1e-6)


def test_between_texels_values_are_mixed() -> None:
    found = sample(build(TILES), np.array([3.0, 2.75]), np.array([1.5, 1.5]))
    left, right = TILES[1, 1, 2:4]
    assert found == pytest.approx([(left + right) / 2, 0.75 * left + 0.25 * right], abs=1e-6)


@pytest.mark.parametrize("times", [-3, 1, 100])
def test_a_tile_repeats(times: int) -> None:
    ripmap, (u, v) = build(TILES), centres()
    again = sample(ripmap, u + times * COLS, v - times * ROWS)
    assert again == pytest.approx(sample(ripmap, u, v), abs=1e-4)


@pytest.mark.parametrize(("fu", "fv"), [(2, 1), (1, 4), (8, 8)])
def test_a_wide_footprint_is_the_mean_of_what_it_covers(fu: int, fv: int) -> None:
    means = TILES[1].reshape(ROWS // fv, fv, COLS // fu, fu).mean((1, 3))
    v, u = np.mgrid[: ROWS // fv, : COLS // fu]
    found = sample(build(TILES), (u.ravel() + 0.5) * fu, (v.ravel() + 0.5) * fv, fu, fv)
    assert found.reshape(means.shape) == pytest.approx(means, abs=1e-6)


def test_a_huge_footprint_is_the_mean_of_the_tile() -> None:
    square = np.random.default_rng(0).standard_normal((1, 16, 16))
    found = sample(build(square), *centres(), fu=1e4, fv=1e4, tile=0)
    assert found == pytest.approx(square.mean(), abs=1e-6)


def test_noise_is_level_and_tiles_without_a_seam() -> None:
    tile = noise(np.random.default_rng(0))
    assert (tile.mean(), tile.std()) == pytest.approx((0, 1))
    steps = np.abs(np.diff(tile, axis=1)).mean()
    assert np.abs(tile[:, 0] - tile[:, -1]).mean() < 1.3 * steps


def test_baked_tiles_follow_from_the_seed_and_leave_brightness_alone() -> None:
    first, again, other = (bake(np.random.default_rng(seed)) for seed in (0, 0, 1))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.texels, b.texels)
        assert not np.array_equal(a.texels, c.texels)
        for tile in range(len(a.first)):
            whole = a.texels[a.first[tile, 0, 0] :][: a.rows * a.cols]
            assert whole.mean() == pytest.approx(0, abs=1e-6)
            assert 0.03 < whole.std() < 0.5
