"""What a trial occupies of a cluster: said for the study, and for an arm where that differs."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from study.space_types import Part

_OF_RAY = ("CPU", "GPU", "memory", "object_store_memory")


def _whole_above_one(gpus: float) -> float:
    if gpus > 1 and gpus != int(gpus):
        raise ValueError("expected a share of one GPU, at most 1, or a whole number of GPUs")
    return gpus


def _custom_name(name: str) -> str:
    if name in _OF_RAY or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}", name):
        raise ValueError(
            "expected the name of a custom resource of Ray's: up to 64 letters, digits, '_', '-', "
            f"'.' and ':', with a letter first, and none of {', '.join(_OF_RAY)}"
        )
    return name


Cpus = Annotated[float, Field(gt=0)]
Gpus = Annotated[float, Field(ge=0), AfterValidator(_whole_above_one)] | Literal["auto"]
Custom = dict[Annotated[str, AfterValidator(_custom_name)], Annotated[float, Field(ge=0.0001)]]
"""Ray counts in steps of 0.0001."""


class Resources(Part):
    """What one trial occupies, on one node."""

    cpus: Cpus = 1
    gpus: Gpus = 0.0
    """May be a fraction: 0.5 puts two trials on a GPU. More than one trains on all of them, each
    with its part of every batch. `auto`: as many trials share a GPU as its memory takes, which is
    measured before the study starts; none, where there is no GPU."""
    custom: Custom = Field(default={})
    """Of Ray's custom resources, which nodes are started with: `{big_memory: 1}`."""

    @property
    def num_gpus(self) -> float:
        """Of a trial, once `auto` is settled."""
        assert self.gpus != "auto"
        return self.gpus

    @property
    def num_devices(self) -> float:
        """What a trial is charged for: its GPUs, or one where it has none."""
        return self.num_gpus or 1.0

    @property
    def num_processes(self) -> int:
        """That train a trial together: one for each GPU, where it has more than one."""
        return 1 if self.gpus == "auto" else max(1, int(self.gpus))

    @property
    def of_one_process(self) -> Resources:
        """What a model is judged with, which more than one GPU would not make faster."""
        return self.model_copy(update={"gpus": min(1.0, self.num_gpus)})

    def in_words(self) -> str:
        """`2 CPUs, 0.5 GPUs and 1 big_memory`."""
        gpus = self.gpus if self.gpus == "auto" else f"{self.gpus:g}"
        return listed(
            [f"{self.cpus:g} CPUs", f"{gpus} GPUs", *(f"{n:g} {k}" for k, n in self.custom.items())]
        )


class ArmResources(Part):
    """What a trial of an arm occupies otherwise; what is left out is as the study says."""

    cpus: Cpus | None = None
    gpus: Gpus | None = None
    custom: Custom | None = None
    """Instead of all that the study says there."""

    def over(self, study: Resources) -> Resources:
        """What a trial of the arm occupies."""
        own = {name: value for name, value in self if value is not None}
        return study.model_copy(update=own)


def listed(parts: list[str]) -> str:
    """`a, b and c`."""
    *before, last = parts
    return f"{', '.join(before)} and {last}" if before else last
