"""What all statistics share: numbers of which those that are none have been left out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
CONFIDENCE = 0.95
"""Of every interval."""
LEVEL = 0.05
"""Of every claim: how often a study without any difference may make one."""
NUM_DRAWS = 9_999
"""Random ones, where there are too many to try them all."""
SEED = 20_240_607
"""What is drawn is the same in every report."""


def finite(values: Iterable[float]) -> Array:
    """The values without those that are NaN or infinite, in their order."""
    array = np.asarray(list(values), dtype=np.float64)
    found: Array = array[np.isfinite(array)]
    return found


def by_size(values: Array) -> npt.NDArray[np.intp]:
    """An order of values that is theirs alone, and stays when all change their sign."""
    return np.lexsort((values, np.abs(values)))
