"""`dbscan` and `hdbscan`: other clusterings by density, by scikit-learn.

Both start from votes merged on a grid, as `optics` does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtdepth.config import OpticsConfig
from mtdepth.instances.grid_optics import GridOptics
from mtdepth.instances.votes import Votes, merge


class Dbscan:
    """DBSCAN (Ester et al. 1996) over cells that weigh as much as they have votes.

    Args:
        votes: of the image.
        config: reach, which bounds the grid.
    """

    def __init__(self, votes: Votes, config: OpticsConfig) -> None:
        self.grid = merge(votes, config)

    def labels(self, config: OpticsConfig) -> NDArray[np.int64]:
        """(N,) cluster of each vote, from 1; 0 for noise. Reads `eps` and `min_samples`."""
        from sklearn.cluster import DBSCAN  # slow to import, and seldom needed

        counts = self.grid.counts
        of_cell = np.zeros(counts.size, dtype=np.int64)
        occupied = np.flatnonzero(counts)
        if len(occupied) > 0:
            model = DBSCAN(eps=config.eps / self.grid.step_px, min_samples=config.min_samples)
            points = np.argwhere(counts).astype(np.float64)
            model.fit(points, sample_weight=counts.ravel()[occupied])
            of_cell[occupied] = model.labels_ + 1
        return of_cell[self.grid.cell]


class Hdbscan:
    """HDBSCAN (Campello et al. 2013) within each cluster that OPTICS has at `max_eps`.

    Over a whole image, the evenly spread background would be its largest cluster; so only votes
    that have `min_samples` within `max_eps`, or lie that near to one that has, are looked at.
    It may part them again; its time grows with the square of the votes of a part.

    Args:
        votes: of the image.
        config: reach and density.
    """

    def __init__(self, votes: Votes, config: OpticsConfig) -> None:
        self.votes = votes
        whole = config.model_copy(update={"extraction": "eps", "eps": config.max_eps})
        self.part = GridOptics(votes, config).labels(whole)
        """(N,) from 1; 0 for noise."""

    def labels(self, config: OpticsConfig) -> NDArray[np.int64]:
        """(N,) cluster of each vote, from 1; 0 for noise. Reads `min_samples` and `min_size`."""
        labels = np.zeros(len(self.part), dtype=np.int64)
        for part in range(1, int(self.part.max(initial=0)) + 1):
            (which,) = (self.part == part).nonzero()
            if len(which) >= max(config.min_samples, config.min_size):
                found = _hdbscan(self.votes.place_px[which], config)
                labels[which] = np.where(found > 0, found + labels.max(), 0)
        return labels


def _hdbscan(points: NDArray[np.float64], config: OpticsConfig) -> NDArray[np.int64]:
    """(n,) labels from 1 of (n, 2) points; 0 for noise."""
    from sklearn.cluster import HDBSCAN  # slow to import, and seldom needed

    model = HDBSCAN(
        min_samples=config.min_samples,
        min_cluster_size=max(config.min_size, 2),
        algorithm="kd_tree",
        allow_single_cluster=True,
        copy=True,
    )
    found: NDArray[np.int64] = np.maximum(model.fit(points).labels_ + 1, 0)
    if found.max() <= 1:  # the part as a whole, of which scikit-learn keeps the densest points
        return np.ones_like(found)
    return found
