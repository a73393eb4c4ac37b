"""`optics-sklearn`: scikit-learn's OPTICS over the votes as they are, the reference of ours.

The paper leaves open where walks begin. Here, as in ours, core votes come first, in raster order:
scikit-learn makes noise of any border vote that it happens to begin at.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from mtdepth.config import OpticsConfig
from mtdepth.instances.extraction import cut_at, cut_at_slopes
from mtdepth.instances.votes import Votes


class SklearnOptics:
    """The reachability plot of an image's votes, to be cut at will.

    Args:
        votes: of the image.
        config: reach and density.
    """

    def __init__(self, votes: Votes, config: OpticsConfig) -> None:
        num_votes = len(votes.pixel)
        self.visited = np.arange(num_votes)
        self.reachability = np.full(num_votes, np.inf)
        self.core_distance = np.full(num_votes, np.inf)
        self.predecessor = np.full(num_votes, -1)
        if num_votes >= config.min_samples:  # scikit-learn refuses fewer; none of them is core
            self._fit(votes.place_px, config)

    def _fit(self, points: NDArray[np.float64], config: OpticsConfig) -> None:
        from scipy.spatial import KDTree
        from sklearn.cluster import OPTICS  # slow to import, and seldom needed

        nearest, _ = KDTree(points).query(points, k=[config.min_samples])
        core_first = np.argsort(nearest[:, 0] > config.max_eps, kind="stable")
        model = OPTICS(
            min_samples=config.min_samples,
            max_eps=config.max_eps,
            algorithm="kd_tree",
            cluster_method="dbscan",
            eps=config.max_eps,
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="All reachability values are inf")
            model.fit(points[core_first])
        order = model.ordering_
        self.visited = core_first[order]
        self.reachability = model.reachability_[order]
        self.core_distance = model.core_distances_[order]
        came_from = model.predecessor_[order]
        self.predecessor = np.where(came_from < 0, -1, np.argsort(order)[came_from])

    def labels(self, config: OpticsConfig) -> NDArray[np.int64]:
        """(N,) cluster of each vote, from 1; 0 for noise."""
        if config.extraction == "xi":
            found = cut_at_slopes(self.reachability, self.predecessor, config)
        else:
            found = cut_at(config.eps, self.reachability, self.core_distance)
        labels = np.zeros(len(found), dtype=np.int64)
        labels[self.visited] = found
        return labels
