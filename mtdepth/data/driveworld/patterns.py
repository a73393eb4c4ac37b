"""Painted patterns: lane marks, windows, decals; each the exact mean over a pixel's footprint."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtdepth.data.driveworld.scene import Looks
from mtdepth.data.driveworld.solids import Array

F32 = np.float32
MARK_M = 0.14
GLASS = np.array([[0.16], [0.19], [0.24]], F32)
WHITE = np.array([[0.88], [0.88], [0.85]], F32)
LEAST_M = F32(1e-3)


def within(x: Array, low: Any, high: Any, footprint: Array) -> Array:
    """Share of [x - footprint / 2, x + footprint / 2] that lies in [low, high]."""
    half = footprint * F32(0.5)
    share = np.minimum(x + half, high) - np.maximum(x - half, low)
    return np.clip(share / footprint, 0, 1)


def repeated(x: Array, period: Array, low: Array, high: Array, footprint: Array) -> Array:
    """Share of the footprint around x in the intervals [low, high] + any multiple of period."""

    def integral(at: Array) -> Array:
        cell = np.floor(at / period)
        return np.asarray(cell * (high - low) + np.clip(at - cell * period - low, 0, high - low))

    half = footprint * F32(0.5)
    return (integral(x + half) - integral(x - half)) / footprint


def blend(color: Array, other: Array, share: Array) -> None:
    """Move `color` (3, N) towards `other` by `share` (N,), in place."""
    color += (other - color) * share


def road(color: Array, params: Array, u: Array, v: Array, fu: Array, fv: Array) -> Array:
    """A dashed middle line, lines along the parked cars, a zebra crossing and a gutter."""
    lane, dash, period, zebra, curb, solid = params[:6]
    x = u - 60
    fu, fv = np.maximum(fu, LEAST_M), np.maximum(fv, LEAST_M)
    half = F32(MARK_M / 2)
    dashed = repeated(v, period, np.zeros_like(v), dash, fv)
    mark = within(x, -half, half, fu) * dashed
    side = np.abs(x)
    mark += within(side, lane, lane + half * 2, fu) * np.maximum(solid, 1 - dashed)
    stripes = repeated(u, np.full_like(u, 1.0), np.full_like(u, 0.2), np.full_like(u, 0.7), fu)
    crossing = within(v, zebra + 20, zebra + 23, fv)
    mark *= 1 - crossing
    mark += crossing * stripes * (side < curb - F32(0.2))
    blend(color, WHITE, np.minimum(mark, 1) * F32(0.85))
    color *= 1 - F32(0.35) * within(side, curb - F32(0.3), curb, fu)
    return color


def facade(color: Array, params: Array, u: Array, v: Array, fu: Array, fv: Array) -> Array:
    """Rows of windows with frames, sills and crossbars, and a ledge at each floor."""
    cell, floor, left, right, low, high, top, trim = params
    fu, fv = np.maximum(fu, LEAST_M), np.maximum(fv, LEAST_M)
    frame = F32(0.14)
    below = within(v, F32(0), top, fv)
    plain = color.copy()
    tall = repeated(v, floor, low - frame, high + frame, fv)
    blend(color, plain * trim, repeated(u, cell, left - frame, right + frame, fu) * tall * below)
    number = np.floor(u / cell) * 7 + np.floor(v / floor) * 13
    tint = F32(0.75) + F32(0.09) * (number % 8)
    glass = repeated(u, cell, left, right, fu) * repeated(v, floor, low, high, fv) * below
    blend(color, GLASS * tint, glass)
    middle, thin = (left + right) * F32(0.5), F32(0.04)
    sash = repeated(u, cell, middle - thin, middle + thin, fu)
    sash += repeated(
        v,
        floor,
        high * F32(0.75) + low * F32(0.25),
        high * F32(0.75) + low * F32(0.25) + thin * 2,
        fv,
    )
    blend(color, plain * trim, np.minimum(sash, 1) * glass)
    ledge = repeated(v, floor, np.zeros_like(v), np.full_like(v, 0.16), fv) * below
    color *= 1 - F32(0.22) * ledge
    return color


def decals(
    color: Array, looks: Looks, faces: Array, u: Array, v: Array, fu: Array, fv: Array
) -> None:
    """Paint the decals of the faces that have any, in their order, in place."""
    counts = looks.num_decals.take(faces)
    at = np.flatnonzero(v - fv < looks.decal_top.take(faces))
    slot = 0
    while len(at):
        rows = looks.first_decal.take(faces.take(at)) + slot
        left, right, low, high, *paint = looks.decals.T.take(rows, axis=1)
        share = within(u.take(at), left, right, np.maximum(fu.take(at), LEAST_M))
        share *= within(v.take(at), low, high, np.maximum(fv.take(at), LEAST_M))
        color[:, at] += (np.stack(paint) - color.take(at, axis=1)) * share
        slot += 1
        at = at[counts.take(at) > slot]
