"""OPTICS (Ankerst et al. 1999) over points that lie on a grid, many at the same place.

Exact, with two shortcuts that the grid allows: points at one place are visited together, and
places that neither are core nor lie within reach of one are never visited, since they have no
finite core distance or reachability in any order.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    rows, columns = np.nonzero(counts)
    occupied = (rows + margin) * padded.shape[1] + columns + margin
    dense = _disc_sums(padded, reach)[rows, columns] >= min_samples
    cores = occupied[dense]
    near_core = np.zeros(flat.size, dtype=bool)
    near_core[(cores[:, None] + stencil).ravel()] = True
    places = np.concatenate([cores, occupied[near_core[occupied] & ~dense]])
    enough = np.cumsum(flat[cores[:, None] + stencil], axis=1) >= min_samples
    core = squared[np.argmax(enough, axis=1)]
    walk, reached, predecessor = _walk(places, core, flat.size, stencil, squared)
    core_distance = np.full(len(places), np.inf)
    core_distance[: len(cores)] = np.sqrt(core)
    rows, columns = np.divmod(places[walk], padded.shape[1])
    return Plot(
        place=(rows - margin) * counts.shape[1] + columns - margin,
        count=flat[places[walk]],
        reachability=np.sqrt(np.where(reached < 0, np.inf, reached)),
        core_distance=core_distance[walk],
        predecessor=predecessor,
    )


def _disc(reach: float, width: int) -> tuple[Ints, Ints]:
    """Flat steps to all places within reach, nearest first, and their squared distances."""
    axis = np.arange(-int(reach), int(reach) + 1)
    squared = (axis[:, None] ** 2 + axis**2).ravel()
    steps = (axis[:, None] * width + axis).ravel()
    nearest = np.argsort(squared, kind="stable")
    nearest = nearest[squared[nearest] <= reach**2]
    return steps[nearest], squared[nearest]


def _disc_sums(padded: Ints, reach: float) -> NDArray[np.int32]:
    """(H, W) points within reach of each place of a grid padded by `int(reach)` all around."""
    margin = int(reach)
    height, width = (size - 2 * margin for size in padded.shape)
    before = np.zeros((padded.shape[0], padded.shape[1] + 1), dtype=np.int32)
    np.cumsum(padded, axis=1, out=before[:, 1:])
    total = np.zeros((height, width), dtype=np.int32)
    for dy in range(-margin, margin + 1):
        half = int(np.sqrt(reach**2 - dy**2))
        rows = before[margin + dy : margin + dy + height]
        total += rows[:, margin + half + 1 : margin + half + 1 + width]
        total -= rows[:, margin - half : margin - half + width]
    return total


def _walk(
    places: Ints, core: Ints, size: int, stencil: Ints, squared: Ints
) -> tuple[Ints, Ints, Ints]:
    """The paper's figures 5 to 7, with a heap of whole numbers: key = squared reach * n + rank.

    Args:
        places: (n,) cells of the flat grid, core ones first.
        core: squared core distances of the core places.
        size: of the flat grid.
        stencil: steps to the places within reach.
        squared: their squared distances.

    Returns:
        (n,) ranks in the order visited, their squared reachability (-1: none), and the position
        in the order of their predecessor (-1: none).
    """
    n = len(places)
    rank = np.zeros(size, dtype=np.int64)
    rank[places] = np.arange(n)
    best = np.full(size, -1, dtype=np.int64)  # -1: empty, or visited
    best[places] = unreached = int(squared[-1]) + 1
    came_from = np.full(n, -1, dtype=np.int64)
    cells, cores = places.tolist(), core.tolist()
    from_core = {level: np.maximum(squared, level) for level in set(cores)}
    visited: list[int] = []
    reached: list[int] = []
    done = bytearray(n)
    for seed in range(len(cores)):
        heap = [unreached * n + seed]
        while heap:
            level, current = divmod(heapq.heappop(heap), n)
            if done[current]:
                continue
            done[current] = True
            best[cells[current]] = -1
            visited.append(current)
            reached.append(level if level < unreached else -1)
            if current >= len(cores):
                continue
            near, distance = stencil + cells[current], from_core[cores[current]]
            (closer,) = (distance < best[near]).nonzero()
            near, distance = near[closer], distance[closer]
            best[near] = distance
            ranks = rank[near]
            came_from[ranks] = len(visited) - 1
            for key in (distance * n + ranks).tolist():
                heapq.heappush(heap, key)
    walk = np.array(visited, dtype=np.int64)
    return walk, np.array(reached, dtype=np.int64), came_from[walk]
