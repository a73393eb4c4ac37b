"""Trainings that write down each epoch that they begin, and are slower where a host is to be."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from study.simulate import Simulated
from study.trainable import Mtdepth, Report
from tests.cluster.hosts import DISK
from tests.study.simulated import Diarist, written_down

DIARY = DISK / "diary"
SLOW = DISK / "slow"
"""While it is there, an epoch of a simulated training takes ten times as long."""
SECONDS = 1.5
"""Of an epoch of a simulated one."""


@dataclass(frozen=True, kw_only=True)
class WatchedSimulation(Diarist):
    """A simulated training."""

    diary: Path = DIARY
    seconds: float = SECONDS

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        def told(metrics: dict[str, float], checkpoint: Path) -> None:
            if SLOW.exists():
                time.sleep(9 * self.seconds)
            report(metrics, checkpoint)

        super().fit(config, told, resume_from)


class WatchedTraining(Mtdepth):
    """A real one."""

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        done = 0
        if resume_from is not None:
            done = torch.load(resume_from / "state.pt", weights_only=True)["epoch"]
        super().fit(config, written_down(DIARY, config, report, done), resume_from)


KINDS: Mapping[str, type[Simulated] | type[Mtdepth]] = {
    "simulated": WatchedSimulation,
    "real": WatchedTraining,
}
