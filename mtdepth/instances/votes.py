"""Where the pixels of an image point to: one vote a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtdepth.config import OpticsConfig

FINEST_STEP_PX = 0.25
"""Votes are merged on a grid of this step, or of a twelfth of `max_eps` where that is coarser."""
STEPS_A_REACH = 12


@dataclass(frozen=True, kw_only=True)
class Votes:
    """The places that may be an object's: what points elsewhere is background outright."""

    height: int
    width: int
    pixel: NDArray[np.int64]
    """(N,) flat index of the pixel that votes, ascending."""
    place_px: NDArray[np.float64]
    """(N, 2) where it points to, (x, y) in pixels of the image."""


def votes_of(offsets_px: NDArray[np.floating], config: OpticsConfig) -> Votes:
    """The votes of an image.

    Votes further than `max_eps` outside the image are left out, since no visible centroid lies
    there, and those of pixels that point nearer than `min_offset`.

    Args:
        offsets_px: (2, H, W), (x, y) in pixels of this map. Must be finite.
        config: reach and least offset.

    Raises:
        ValueError: the offsets have another shape, or are not finite.
    """
    if offsets_px.ndim != 3 or offsets_px.shape[0] != 2:
        raise ValueError(f"expected offsets_px (2, H, W), found {offsets_px.shape}")
    if not np.isfinite(offsets_px).all():
        raise ValueError("expected finite offsets_px, found NaN or infinity: did training diverge?")
    _, height, width = offsets_px.shape
    moved = offsets_px.reshape(2, -1).astype(np.float64)
    place = pixels_of(height, width) + moved
    last = np.array([[width - 1], [height - 1]])
    votes = ((place >= -config.max_eps) & (place <= last + config.max_eps)).all(0)
    if config.min_offset > 0:
        votes &= np.hypot(*moved) >= config.min_offset
    pixel = np.flatnonzero(votes)
    return Votes(height=height, width=width, pixel=pixel, place_px=place[:, pixel].T)


def pixels_of(height: int, width: int) -> NDArray[np.float64]:
    """(2, H * W) the x and y of all pixels, in raster order."""
    ys, xs = np.divmod(np.arange(height * width), width)
    return np.stack([xs, ys]).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Votes merged into cells."""

    step_px: float
    """Side of a cell."""
    counts: NDArray[np.int64]
    """(rows, columns) votes in each cell."""
    cell: NDArray[np.int64]
    """(N,) flat index of the cell of each vote."""


def merge(votes: Votes, config: OpticsConfig) -> Grid:
    """Rounds votes to the centres of cells, of which `max_eps` spans 12 at the most."""
    step = max(FINEST_STEP_PX, config.max_eps / STEPS_A_REACH)
    last = np.array([votes.width, votes.height]) - 1 + 2 * config.max_eps
    columns, rows = np.rint(last / step).astype(np.int64) + 1
    x, y = np.rint((votes.place_px.T + config.max_eps) / step).astype(np.int64)
    cell = y * columns + x
    counts = np.bincount(cell, minlength=rows * columns).reshape(rows, columns)
    return Grid(step_px=step, counts=counts, cell=cell)
