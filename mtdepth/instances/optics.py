"""OPTICS (Ankerst et al. 1999) over points that lie on a grid, many at the same place.

Exact, with two shortcuts that the grid allows: points at one place are visited together, and
places that neither are core nor lie within reach of one are never visited, since they have no
finite core distance or reachability in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtdepth.instances.walk import core_levels, visit

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plot:
    """The reachability plot: places in the order of OPTICS. All arrays are (M,)."""

    place: Ints
    """Flat index into the grid."""
    count: Ints
    """Points at the place. The first has `reachability`, the others have the smaller one of
    `reachability` and `core_distance`."""
    reachability: Floats
    """In steps of the grid; infinite where a walk begins."""
    core_distance: Floats
    """In steps of the grid; infinite where the place is not core."""
    predecessor: Ints
    """Position in this order of the place that it was reached from, or -1."""


def order(counts: Ints, *, reach: float, min_samples: int) -> Plot:
    """Orders the places of a grid, and finds their core distances and reachabilities.

    Walks begin at core places, in raster order, and ties go to core places, then to raster
    order; the paper leaves both open. No border place is lost to a walk that begins at it.

    Args:
        counts: (H, W) number of points at each place.
        reach: the paper's epsilon, in steps of the grid.
        min_samples: the paper's MinPts; a point counts itself.
    """
    margin = int(reach)
    padded = np.pad(counts, margin)
    stencil, squared = _disc(reach, padded.shape[1])
    flat = padded.ravel()
    occupied = np.flatnonzero(flat)
    level = core_levels(flat, occupied, stencil, squared, min_samples)
    cores_first = np.argsort(level < 0, kind="stable")
    places, level = occupied[cores_first], level[cores_first]
    walk, reached, predecessor = visit(places, level, flat.size, stencil, squared)
    rows, columns = np.divmod(places[walk], padded.shape[1])
    return Plot(
        place=(rows - margin) * counts.shape[1] + columns - margin,
        count=flat[places[walk]],
        reachability=_distance(reached),
        core_distance=_distance(level[walk]),
        predecessor=predecessor,
    )


def _distance(squared: Ints) -> Floats:
    """Of squared distances, of which -1 stands for infinity."""
    return np.sqrt(np.where(squared < 0, np.inf, squared))


def _disc(reach: float, width: int) -> tuple[Ints, Ints]:
    """Flat steps to all places within reach, nearest first, and their squared distances."""
    axis = np.arange(-int(reach), int(reach) + 1)
    squared = (axis[:, None] ** 2 + axis**2).ravel()
    steps = (axis[:, None] * width + axis).ravel()
    nearest = np.argsort(squared, kind="stable")
    nearest = nearest[squared[nearest] <= reach**2]
    return steps[nearest], squared[nearest]
