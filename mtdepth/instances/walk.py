"""The two loops of OPTICS (Ankerst et al. 1999) over places of a grid, compiled.

Distances are squared, in steps of the grid, and so are whole numbers; -1 stands for infinity.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def _core_levels(
    counts: Ints, places: Ints, stencil: Ints, squared: Ints, min_samples: int
) -> Ints:
    """Core distances (definition 5).

    Args:
        counts: points in each cell of the flat grid.
        places: (n,) cells, at least as far from the grid's border as the stencil reaches.
        stencil: steps to the cells within reach, nearest first.
        squared: their distances.
        min_samples: the paper's MinPts.

    Returns:
        (n,) of the places; -1 for those that are not core.
    """
    levels = np.full(len(places), -1, dtype=np.int64)
    for i in range(len(places)):
        total = 0
        for k in range(len(stencil)):
            total += counts[places[i] + stencil[k]]
            if total >= min_samples:
                levels[i] = squared[k]
                break
    return levels


def _visit(
    places: Ints, levels: Ints, num_cells: int, stencil: Ints, squared: Ints
) -> tuple[Ints, Ints, Ints]:
    """The walks of figures 5 to 7, with a heap of whole numbers: key = reachability * n + rank.

    Args:
        places: (n,) cells of the flat grid, core ones first.
        levels: (n,) their core distances.
        num_cells: of the flat grid.
        stencil: steps to the cells within reach.
        squared: their distances.

    Returns:
        (m,) ranks of those visited, in order; their reachability (-1: a walk begins); and the
        position in the order of their predecessor (-1: none).
    """
    n = len(places)
    rank = np.zeros(num_cells, dtype=np.int64)
    best = np.full(num_cells, -1, dtype=np.int64)  # -1: empty, or visited
    unreached = squared[-1] + 1
    for i in range(n):
        rank[places[i]] = i
        best[places[i]] = unreached
    came_from = np.full(n, -1, dtype=np.int64)
    order = np.empty(n, dtype=np.int64)
    reached = np.empty(n, dtype=np.int64)
    num_visited = 0
    for seed in range(n):
        if levels[seed] < 0:
            break
        heap = [unreached * n + seed]
        while len(heap) > 0:
            level, current = divmod(heapq.heappop(heap), n)
            cell = places[current]
            if best[cell] < 0:
                continue
            best[cell] = -1
            order[num_visited] = current
            reached[num_visited] = level if level < unreached else -1
            num_visited += 1
            if levels[current] < 0:
                continue
            for k in range(len(stencil)):
                near = cell + stencil[k]
                distance = max(squared[k], levels[current])
                if distance < best[near]:
                    best[near] = distance
                    came_from[rank[near]] = num_visited - 1
                    heapq.heappush(heap, distance * n + rank[near])
    order = order[:num_visited]
    return order, reached[:num_visited], came_from[order]


_compiled = njit(cache=True, nogil=True)
core_levels: Callable[[Ints, Ints, Ints, Ints, int], Ints] = _compiled(_core_levels)
visit: Callable[[Ints, Ints, int, Ints, Ints], tuple[Ints, Ints, Ints]] = _compiled(_visit)
