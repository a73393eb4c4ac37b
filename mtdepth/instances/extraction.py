"""Clusters from a reachability plot (Ankerst et al. 1999, section 4), whoever made it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtdepth.config import OpticsConfig

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def cut_at(eps: float, reachability: Floats, core_distance: Floats) -> Ints:
    """ExtractDBSCAN-Clustering (section 4.1).

    Args:
        eps: height of the cut, in the unit of the others.
        reachability: (N,) in the order of the plot.
        core_distance: the same.

    Returns:
        (N,) labels from 1 in that order, 0 for noise.
    """
    unreached = reachability > eps
    core = core_distance <= eps
    return np.where(unreached & ~core, 0, np.cumsum(unreached & core))


def cut_at_slopes(reachability: Floats, predecessor: Ints, config: OpticsConfig) -> Ints:
    """Extraction by xi (section 4.3.2), by scikit-learn; the innermost clusters.

    Args:
        reachability: (N,) in the order of the plot, one for each vote.
        predecessor: (N,) position of what each was reached from, or -1.
        config: steepness, `min_samples` and smallest cluster.

    Returns:
        (N,) labels from 1 in that order, 0 for noise.
    """
    from sklearn.cluster import cluster_optics_xi  # slow to import, and seldom needed

    num_votes = len(reachability)
    if num_votes < max(config.min_samples, config.min_size, 2):
        return np.zeros(num_votes, dtype=np.int64)
    with np.errstate(divide="ignore"):  # a reachability of 0 is as steep as can be
        labels, _ = cluster_optics_xi(
            reachability=reachability,
            predecessor=predecessor,
            ordering=np.arange(num_votes),
            min_samples=config.min_samples,
            min_cluster_size=max(config.min_size, 2),
            xi=config.xi,
        )
    found: Ints = labels + 1
    return found
