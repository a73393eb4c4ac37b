"""Loss weightings: how the tasks' losses become one. One method a file."""

from __future__ import annotations

from collections.abc import Sequence

from mtdepth.config import WeightingConfig
from mtdepth.weighting.base import Weighting
from mtdepth.weighting.dwa import DynamicWeightAverage
from mtdepth.weighting.equal import Equal
from mtdepth.weighting.uncertainty import Uncertainty

METHODS: dict[str, type[Weighting]] = {
    "equal": Equal,
    "dwa": DynamicWeightAverage,
    "uncertainty": Uncertainty,
}


def make_weighting(tasks: Sequence[str], config: WeightingConfig) -> Weighting:
    """The weighting that `config` names, for these tasks.

    Raises:
        ValueError: no method has that name.
    """
    if config.name not in METHODS:
        raise ValueError(
            f"weighting.name: expected one of {', '.join(METHODS)}, found {config.name!r}"
        )
    return METHODS[config.name](tasks, config)


__all__ = ["METHODS", "Weighting", "make_weighting"]
