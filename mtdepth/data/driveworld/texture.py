"""Tiling textures that fade with the pixel's footprint.

A tile is stored at every pair of horizontal and vertical resolutions (a ripmap: McReynolds and
Blythe, 1998), so that the long, thin footprint of a pixel on the road is filtered as such.
Without filtering, texture aliases at 192x64 and a photometric loss learns nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtdepth.data.driveworld.solids import Array

SIDE = 256
NUM_TILES = 6
NUM_LEVELS = 8
COARSE_TEXEL_M = 0.21
SHRINK = np.float32(0.5) ** np.arange(NUM_LEVELS, dtype=np.float32)


@dataclass(frozen=True)
class Ripmap:
    """Textures of (rows, cols), powers of two, in all resolutions: see `build`."""

    texels: Array
    first: Array
    rows: int
    cols: int
    levels: int

    def sample(self, tile: Array, u: Array, v: Array, fu: Array, fv: Array) -> Array:
        """Bilinear values (N,) float32 at texel coordinates u, v (wrapping) and footprints."""
        lu, lv = self._level(fu), self._level(fv)
        first = self.first[tile, lv, lu]
        x = u * SHRINK.take(lu) - np.float32(0.5)
        y = v * SHRINK.take(lv) - np.float32(0.5)
        x0, y0 = np.floor(x), np.floor(y)
        x -= x0
        y -= y0
        cols, rows = np.right_shift(self.cols, lu), np.right_shift(self.rows, lv)
        left = x0.astype(np.int32)
        row = y0.astype(np.int32)
        right = (left + 1) & (cols - 1)
        left &= cols - 1
        upper = first + (row & (rows - 1)) * cols
        lower = first + ((row + 1) & (rows - 1)) * cols
        take = self.texels.take
        top = take(upper + left)
        top += (take(upper + right) - top) * x
        bottom = take(lower + left)
        bottom += (take(lower + right) - bottom) * x
        top += (bottom - top) * y
        return np.asarray(top)

    def _level(self, footprint: Array) -> Array:
        # The exponent of f / sqrt(2) is log2(f), rounded.
        exponent = np.frexp(footprint * np.float32(np.sqrt(0.5)))[1]
        return np.clip(exponent, 0, self.levels - 1)


def build(tiles: Array) -> Ripmap:
    """The ripmap of tiles (T, rows, cols)."""
    count, rows, cols = tiles.shape
    levels = min(NUM_LEVELS, int(np.log2(min(rows, cols))) + 1)
    first = np.zeros((count, levels, levels), np.int32)
    pieces: list[Array] = []
    total = 0
    for tile in range(count):
        tall = tiles[tile].astype(np.float32)
        for lv in range(levels):
            wide = tall
            for lu in range(levels):
                first[tile, lv, lu] = total
                total += wide.size
                pieces.append(wide.ravel())
                wide = (wide[:, 0::2] + wide[:, 1::2]) * np.float32(0.5)
            tall = (tall[0::2] + tall[1::2]) * np.float32(0.5)
    return Ripmap(np.concatenate(pieces), first, rows, cols, levels)


def noise(rng: np.random.Generator, exponent: float = 1.0) -> Array:
    """A (SIDE, SIDE) tile of noise, mean 0, deviation 1; exponent 1 is as strong in each octave."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) * frequency**-exponent
    tile = np.fft.irfft2(spectrum, (SIDE, SIDE))
    return np.asarray((tile - tile.mean()) / tile.std())


def bake(rng: np.random.Generator) -> tuple[Ripmap, Ripmap]:
    """The fine tiles, and the one coarse tile; values around 0 that scale a colour."""
    fine = np.stack(
        [
            0.15 * _speckled(rng, noise(rng, 0.9)),
            0.13 * noise(rng) - 0.3 * _joints(16, 16, 1, 0),
            0.26 * noise(rng, 0.8),
            0.11 * noise(rng, 1.1),
            0.11 * noise(rng) - 0.28 * _joints(8, 32, 1, 16) + 0.14 * _blocks(rng, 8, 32),
            0.06 * noise(rng, 1.2),
        ]
    )
    coarse = 0.13 * noise(rng, 0.9) + _patches(rng)
    fine -= fine.mean((1, 2), keepdims=True)
    coarse -= coarse.mean()
    return build(fine), build(coarse[None])


def _joints(height: int, length: int, thick: int, shift: int) -> Array:
    """1 on the joints of a wall of blocks, of which every other row is shifted."""
    row, col = np.mgrid[:SIDE, :SIDE]
    moved = col + shift * (row // height % 2)
    return np.asarray((row % height < thick) | (moved % length < thick), np.float64)


def _blocks(rng: np.random.Generator, height: int, length: int) -> Array:
    """A brightness for each block of `_joints`."""
    row, col = np.mgrid[:SIDE, :SIDE]
    values = rng.standard_normal((SIDE // height, SIDE // length + 2))
    moved = col + (length // 2) * (row // height % 2)
    return np.asarray(values[row // height, moved // length])


def _speckled(rng: np.random.Generator, tile: Array) -> Array:
    """Dark cracks and bright grit on the noise."""
    for _ in range(5):
        steps = np.cumsum(rng.integers(-1, 2, (220, 2)) + rng.integers(-1, 2, 2), axis=0)
        spots = (steps + rng.integers(0, SIDE, 2)) % SIDE
        tile[spots[:, 0], spots[:, 1]] -= 1.6
    grit = rng.integers(0, SIDE, (500, 2))
    tile[grit[:, 0], grit[:, 1]] += 1.5
    return tile


def _patches(rng: np.random.Generator) -> Array:
    """Rectangles where the surface was mended."""
    tile = np.zeros((SIDE, SIDE))
    for _ in range(60):
        row, col = rng.integers(0, SIDE, 2)
        tall, wide = rng.integers(4, 26), rng.integers(4, 12)
        tile[row : row + tall, col : col + wide] = rng.uniform(-0.16, 0.12)
    return tile
