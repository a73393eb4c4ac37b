"""What a study costs beside the trainings that it is made of: its wall time, over that of the same
trainings one after the other in a process of their own.

Run by hand: `OMP_NUM_THREADS=1 pytest -m slow -s tests/benchmarks/test_study_overhead.py`; it takes
a quarter of an hour. The trainings are timed before the study and after it, as machines are not
equally fast all the time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import ray

from mtdepth.config import TrainConfig
from mtdepth.train import fit
from study.events import Dealt, EpochEnded
from study.ledger import Ledger
from study.runner import Settings, run_study
from study.space_loading import load_space

SPACE = load_space("weighting.yaml", ["base.epochs=12", "search=null", "confirm.seeds=[1]"])
MAX_OVERHEAD = 0.03
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def ray_that_ends() -> Iterator[None]:
    yield
    ray.shutdown()


def wall_seconds_of_trainings(configs: list[TrainConfig]) -> float:
    started = time.perf_counter()
    for config in configs:
        fit(config, lambda *_: None)
    return time.perf_counter() - started


@pytest.mark.usefixtures("ray_that_ends")
def test_a_study_takes_hardly_longer_than_its_trainings(tmp_path: Path) -> None:
    configs = [TrainConfig.model_validate(SPACE.arm_config(arm, seed=1)) for arm in SPACE.arms]
    fit(configs[0].model_copy(update={"epochs": 1}), lambda *_: None)  # renders, reads, compiles
    before = wall_seconds_of_trainings(configs)
    started = time.perf_counter()
    out = run_study(SPACE, tmp_path / "study", Settings(concurrency=1))
    whole = time.perf_counter() - started
    after = wall_seconds_of_trainings(configs)
    events = list(Ledger.open(out).events())
    first, last = (
        min(datetime.fromisoformat(x.time) for x in events if isinstance(x, Dealt)),
        max(datetime.fromisoformat(x.time) for x in events if isinstance(x, EpochEnded)),
    )
    trials, bare = (last - first).total_seconds(), (before + after) / 2
    print(
        f"{len(configs)} trainings take {before:.1f} and {after:.1f} s; in a study, from the first "
        f"deal to the last epoch, {trials:.1f} s ({trials / bare - 1:+.1%}); with Ray's start, the "
        f"test split, pictures and report {whole:.1f} s ({whole / bare - 1:+.1%})"
    )
    assert trials < (1 + MAX_OVERHEAD) * bare
