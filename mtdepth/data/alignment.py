"""How far one cloud of points has to be moved to lie on another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

Points = NDArray[np.float64]

KEPT = 0.8
"""Share of the points, those that fit best, that count: the others may be seen only once, or
belong to something else."""
MAX_ROUNDS = 20
STILL_M = 1e-3
"""A round that moves the cloud less is the last."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Where an alignment ends."""

    shift_m: Points
    """(2,) what was added to the cloud."""
    residual_m: float
    """Root mean square distance of the points that count to the nearest of the other cloud."""


def align(cloud_m: Points, other_m: Points, start_m: Points) -> Fit:
    """Moves a cloud onto another without turning it: iterated closest points (Besl and McKay 1992)
    of which the worst are left out (Chetverikov et al. 2002).

    Both are moved onto each other, and the better fit counts: what one of them lacks of an
    object's shape makes only the way to it uncertain.

    Args:
        cloud_m: (N, 2) metres, N > 0.
        other_m: (M, 2) metres, M > 0.
        start_m: (2,) the shift to begin with; a fit is the best one nearby.
    """
    there = _moved(cloud_m, other_m, start_m)
    back = _moved(other_m, cloud_m, -start_m)
    if there.residual_m <= back.residual_m:
        return there
    return Fit(shift_m=-back.shift_m, residual_m=back.residual_m)


def _moved(cloud_m: Points, other_m: Points, shift_m: Points) -> Fit:
    tree = KDTree(other_m)
    num_kept = max(1, int(KEPT * len(cloud_m)))
    for _ in range(MAX_ROUNDS):
        distance_m, nearest = tree.query(cloud_m + shift_m)
        kept = np.argsort(distance_m, kind="stable")[:num_kept]
        step_m = (other_m[nearest[kept]] - cloud_m[kept] - shift_m).mean(0)
        shift_m = shift_m + step_m
        if np.hypot(*step_m) < STILL_M:
            break
    distance_m = np.sort(tree.query(cloud_m + shift_m)[0])[:num_kept]
    return Fit(shift_m=shift_m, residual_m=float(np.sqrt(np.mean(distance_m**2))))
