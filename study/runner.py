"""Runs a study: one Ray Tune run for search and confirmation, then the test split."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import tune
from rich.console import Console

from study.examination import examine, finalists
from study.events import Dealt, EpochEnded, now
from study.ledger import Ledger
from study.manifest import make_manifest
from study.preflight import check_data, resolve_objectives, tell_missing
from study.progress import Progress
from study.ray_session import ray_session
from study.recorder import Recorder
from study.report import write_report
from study.scheduler import ArmScheduler
from study.searcher import ArmSearcher
from study.space import Objective, Space
from study.tracker import Tracker
from study.trainable import Mtdepth, Trainable
from study.worker import run_trial

NUM_RETRIES = 2
"""How often a trial goes on from its checkpoint after its worker or node was lost."""


class StudyFailed(RuntimeError):
    """Nothing in the study came to its end."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a study is run; none of it changes a number."""

    address: str | None = None
    """Ray cluster; left out, Ray is started on this machine."""
    concurrency: int | None = None
    """Trials at once; left out, as many as there is room for."""
    trainable: Trainable = Mtdepth()
    """What is trained."""
    tracks: bool = True
    """Whether MLflow hears of it."""


def run_study(
    space: Space,
    out: Path,
    *,
    address: str | None = None,
    concurrency: int | None = None,
    trainable: Trainable | None = None,
    tracks: bool = True,
) -> Path:
    """Runs a study from its question to its report.

    Args:
        space: the study.
        out: its directory, which must not hold a study yet.
        address: of a Ray cluster; left out, Ray is started on this machine.
        concurrency: trials at once; left out, as many as there is room for.
        trainable: what is trained, if not mtdepth.
        tracks: whether MLflow hears of it.

    Returns:
        The study directory.

    Raises:
        ValueError: the data, the directory or the cluster is not as it should be.
        StudyFailed: no trial came to its end.
        KeyboardInterrupt: it was interrupted, and can go on by `resume_study`.
    """
