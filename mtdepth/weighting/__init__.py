"""Loss weightings: how the tasks' losses become one. One method a file."""

from __future__ import annotations

from collections.abc import Sequence

from mtdepth.config import WeightingConfig
from mtdepth.weighting.aligned_mtl import AlignedMtl
from mtdepth.weighting.base import Weighting
from mtdepth.weighting.cagrad import CaGrad
from mtdepth.weighting.dwa import DynamicWeightAverage
from mtdepth.weighting.equal import Equal
from mtdepth.weighting.famo import Famo
from mtdepth.weighting.fixed import Fixed
from mtdepth.weighting.gls import GeometricLoss
from mtdepth.weighting.imtl_g import ImtlG
from mtdepth.weighting.nash import Nash
from mtdepth.weighting.pcgrad import PcGrad
from mtdepth.weighting.rlw import RandomLossWeighting
from mtdepth.weighting.uncertainty import Uncertainty
from mtdepth.weighting.uncertainty_so import SoftOptimalUncertainty
from mtdepth.weighting.upgrad import UpGrad

METHODS: dict[str, type[Weighting]] = {
    "equal": Equal,
    "fixed": Fixed,
    "dwa": DynamicWeightAverage,
    "uncertainty": Uncertainty,
    "uncertainty-so": SoftOptimalUncertainty,
    "gls": GeometricLoss,
    "rlw": RandomLossWeighting,
    "famo": Famo,
    "upgrad": UpGrad,
    "pcgrad": PcGrad,
    "cagrad": CaGrad,
    "imtl-g": ImtlG,
    "aligned-mtl": AlignedMtl,
    "nash": Nash,
}


def make_weighting(tasks: Sequence[str], config: WeightingConfig) -> Weighting:
    """The weighting that `config` names, for these tasks.

    Raises:
        ValueError: no method has that name, or what it needs is not installed.
    """
    if config.name not in METHODS:
        raise ValueError(
            f"weighting.name: expected one of {', '.join(METHODS)}, found {config.name!r}"
        )
    return METHODS[config.name](tasks, config)


__all__ = ["METHODS", "Weighting", "make_weighting"]
