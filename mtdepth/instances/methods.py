"""Ways to find dense clusters of votes: all promise the same.

Each is a class that takes votes and a configuration, and does then what does not depend on how
clusters are cut: `method`, `min_samples`, `max_eps` and `min_offset` are settled. `labels` cuts,
for any `extraction`, `eps`, `xi` and `min_size`, as often as it is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mtdepth.config import OpticsConfig
from mtdepth.instances.density import Dbscan, Hdbscan
from mtdepth.instances.grid_optics import GridOptics
from mtdepth.instances.sklearn_optics import SklearnOptics
from mtdepth.instances.votes import Votes


class Ordering(Protocol):
    """Votes that are ready to be cut into clusters."""

    def labels(self, config: OpticsConfig) -> NDArray[np.int64]:
        """(N,) cluster of each vote, from 1; 0 for noise. Small ones may be among them."""


METHODS: dict[str, Callable[[Votes, OpticsConfig], Ordering]] = {
    "optics": GridOptics,
    "optics-sklearn": SklearnOptics,
    "dbscan": Dbscan,
    "hdbscan": Hdbscan,
}


def order_votes(votes: Votes, config: OpticsConfig) -> Ordering:
    """The votes, ordered by the method that `config` names.

    Raises:
        ValueError: no method has that name.
    """
    if config.method not in METHODS:
        raise ValueError(
            f"optics.method: expected one of {', '.join(METHODS)}, found {config.method!r}"
        )
    return METHODS[config.method](votes, config)
