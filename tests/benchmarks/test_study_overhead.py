"""What a study costs beside the trainings that it is made of: its wall time, over what its worker
spends within them; reports, checkpoints and pictures count as the study's. What is paid once, until
the first training begins and when the last has ended, is told as well.

Run by hand: `OMP_NUM_THREADS=1 pytest -m slow -s tests/benchmarks/test_study_overhead.py`; minutes.
The trainings are timed where they run, as machines are not equally fast all the time.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import ray

from study.events import TrialEnded
from study.ledger import Ledger
from study.runner import Settings, run_study
from study.space_loading import load_space
from study.trainable import Mtdepth, Report

SPACE = load_space("weighting.yaml", ["search=null", "confirm.seeds=[1]"])
MAX_OVERHEAD = 0.03
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Timed(Mtdepth):
    """Writes down how long each training takes by itself."""

    def __init__(self, diary: Path) -> None:
        super().__init__()
        self.diary = diary

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        import mtdepth.train  # noqa: F401, no part of a training

        away = 0.0

        def report_away(metrics: dict[str, float], checkpoint_dir: Path) -> None:
            nonlocal away
            left = time.perf_counter()
            report(metrics, checkpoint_dir)
            away += time.perf_counter() - left

        began, started = time.time(), time.perf_counter()
        super().fit(config, report_away, resume_from)
        with self.diary.open("a") as file:
            file.write(f"{began} {time.perf_counter() - started - away}\n")


def test_a_study_takes_hardly_longer_than_its_trainings(tmp_path: Path) -> None:
    diary, started = tmp_path / "diary", time.time()
    out = run_study(SPACE, tmp_path / "study", Settings(concurrency=1, trainable=Timed(diary)))
    over = time.time()
    ray.shutdown()
    began, trainings = zip(*(map(float, line.split()) for line in diary.open()), strict=True)
    ends = [x.time for x in Ledger.open(out).events() if isinstance(x, TrialEnded)]
    ended = max(map(datetime.fromisoformat, ends)).timestamp()
    spent, bare = ended - began[0], sum(trainings)
    print(
        f"{len(trainings)} trainings take {bare:.1f} s, with all that a study does {spent:.1f} "
        f"s ({spent / bare - 1:+.1%}); the first begins after {began[0] - started:.1f} s, and the "
        f"test split, pictures, models and report take {over - ended:.1f} s"
    )
    assert len(trainings) == len(SPACE.arms)
    assert spent < (1 + MAX_OVERHEAD) * bare
