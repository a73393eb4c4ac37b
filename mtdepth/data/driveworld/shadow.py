"""Soft shadows on the ground: those that stay are baked once a drive, those that move are not."""

from __future__ import annotations

import numpy as np

from mtdepth.data.driveworld.scene import STATIC, Placed
from mtdepth.data.driveworld.solids import Array
from mtdepth.data.driveworld.texture import Ripmap, build

TEXEL_M = 0.2
ROWS, COLS = 512, 128
LEFT_M, BACK_M = -COLS / 2 * TEXEL_M, -10.0
SPHERE = np.array(
    [
        [np.cos(a) * np.cos(e), np.sin(e), np.sin(a) * np.cos(e)]
        for e in (-0.9, -0.3, 0.3, 0.9)
        for a in np.arange(8) * np.pi / 4
    ]
)


def bake(placed: Placed, toward_sun: Array, softness_m: float) -> Ripmap:
    """How much sun (0 to 1) reaches the ground past what does not move."""
    x = (LEFT_M + (np.arange(COLS) + 0.5) * TEXEL_M).astype(np.float32)
    z = (BACK_M + (np.arange(ROWS) + 0.5) * TEXEL_M).astype(np.float32)
    sun = np.ones((ROWS, COLS), np.float32)
    for polygon in outlines(placed, toward_sun, moving=False):
        low, high = polygon.min(0) - softness_m, polygon.max(0) + softness_m
        c0, c1 = np.searchsorted(x, (low[0], high[0]))
        r0, r1 = np.searchsorted(z, (low[1], high[1]))
        if c0 < c1 and r0 < r1:
            view = sun[r0:r1, c0:c1]
            shade = cover(polygon, x[None, c0:c1], z[r0:r1, None], np.float32(softness_m))
            np.minimum(view, 1 - shade, out=view)
    return build(sun[None])


def sunlight(
    baked: Ripmap, moving: list[Array], softness_m: float, x: Array, z: Array, fx: Array, fz: Array
) -> Array:
    """How much sun (N,) reaches ground points x, z with footprints fx, fz, all in metres."""
    tile = np.zeros(len(x), np.int32)
    scale = np.float32(1 / TEXEL_M)
    left, back = np.float32(LEFT_M), np.float32(BACK_M)
    texels = ((x - left) * scale, (z - back) * scale, fx * scale, fz * scale)
    sun = baked.sample(tile, *texels)
    for polygon in moving:
        (x0, z0), (x1, z1) = polygon.min(0) - softness_m, polygon.max(0) + softness_m
        near = np.flatnonzero((x > x0) & (x < x1) & (z > z0) & (z < z1))
        if len(near):
            soft = np.maximum(softness_m, fz.take(near))
            shade = cover(polygon, x.take(near), z.take(near), soft)
            sun[near] = np.minimum(sun.take(near), 1 - shade)
    return sun


def outlines(placed: Placed, toward_sun: Array, moving: bool) -> list[Array]:
    """Convex (K, 2) x-z polygons, counter-clockwise, that parts cast on the ground."""
    scene = placed.scene
    static = [thing.motion == STATIC for thing in scene.things]
    polygons = []
    if moving:
        for k in np.flatnonzero(~np.array(static)):
            points = placed.corners[scene.part_thing == k].reshape(-1, 3)
            polygons.append(_outline(points, toward_sun))
        return polygons
    for part, corners in enumerate(placed.corners):
        k = scene.part_thing[part]
        height = -corners[:, 1].min()
        if not static[k] or height < 0.3:
            continue
        points = corners
        if scene.radii[part, 0] > 0:
            points = corners.mean(0) + (SPHERE * scene.radii[part]) @ placed.rotations[k].T
        polygons.append(_outline(points, toward_sun))
    return polygons


def cover(polygon: Array, x: Array, z: Array, soft: Array | np.float32) -> Array:
    """Share of shadow at x, z: 1 inside of the polygon, 0 outside, `soft` metres between."""
    depth: Array | None = None
    for (ax, az), (bx, bz) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        length = np.hypot(bx - ax, bz - az)
        nx, nz = np.float32(-(bz - az) / length), np.float32((bx - ax) / length)
        offset = np.float32(nx * ax + nz * az)
        inside = x * nx + (z * nz - offset)
        depth = inside if depth is None else np.minimum(depth, inside)
    assert depth is not None
    return np.clip(depth / soft + np.float32(0.5), 0, 1)


def _outline(points: Array, toward_sun: Array) -> Array:
    """Hull of points (N, 3) thrown onto the ground (Andrew's monotone chain)."""
    drop = points[:, 1] / toward_sun[1]
    thrown = points[:, [0, 2]] - drop[:, None] * toward_sun[[0, 2]]
    ordered = sorted({(round(float(x), 4), round(float(z), 4)) for x, z in thrown})

    def chain(sequence: list[tuple[float, float]]) -> list[tuple[float, float]]:
        hull: list[tuple[float, float]] = []
        for p in sequence:
            while len(hull) > 1 and _turn(hull[-2], hull[-1], p) <= 0:
                hull.pop()
            hull.append(p)
        return hull[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
