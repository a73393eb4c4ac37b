"""`optics`: exact OPTICS over votes that are merged on a grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtdepth.config import OpticsConfig
from mtdepth.instances.extraction import cut_at, cut_at_slopes
from mtdepth.instances.optics import Plot, order
from mtdepth.instances.votes import Votes, merge


class GridOptics:
    """The reachability plot of an image's votes, to be cut at will.

    Args:
        votes: of the image.
        config: reach and density.
    """

    def __init__(self, votes: Votes, config: OpticsConfig) -> None:
        self.grid = merge(votes, config)
        self.plot = order(
            self.grid.counts,
            reach=config.max_eps / self.grid.step_px,
            min_samples=config.min_samples,
        )

    def labels(self, config: OpticsConfig) -> NDArray[np.int64]:
        """(N,) cluster of each vote, from 1; 0 for noise."""
        of_cell = np.zeros(self.grid.counts.size, dtype=np.int64)
        if config.extraction == "xi":
            of_cell[self.plot.place] = _cut_at_slopes(self.plot, config)
        else:
            eps = config.eps / self.grid.step_px
            of_cell[self.plot.place] = cut_at(eps, self.plot.reachability, self.plot.core_distance)
        return of_cell[self.grid.cell]


def _cut_at_slopes(plot: Plot, config: OpticsConfig) -> NDArray[np.int64]:
    """(M,) labels of the places, from the plot of single votes."""
    first = np.cumsum(plot.count) - plot.count
    reachability = np.repeat(np.minimum(plot.reachability, plot.core_distance), plot.count)
    reachability[first] = plot.reachability
    came_from = np.where(plot.predecessor < 0, -1, first[plot.predecessor])
    nearer = plot.core_distance < plot.reachability
    predecessor = np.repeat(np.where(nearer, first, came_from), plot.count)
    predecessor[first] = came_from
    return cut_at_slopes(reachability, predecessor, config)[first]
