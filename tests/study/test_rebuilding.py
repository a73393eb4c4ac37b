"""What a study that goes on rebuilds from its events is what it had while it ran."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from study import runner, session
from study.ledger import Ledger
from study.scheduler import ArmScheduler
from study.simulate import Simulated
from tests.study.simulated import OBJECTIVE, optuna_of, simulated_space

pytestmark = pytest.mark.usefixtures("small_ray")
ASHA = {"name": "asha", "grace_epochs": 1, "reduction_factor": 2}
SPACE = simulated_space(scheduler=ASHA, confirm={"seeds": [1]})
SETTINGS = runner.Settings(concurrency=1, trainable=Simulated(diverges=0.2), tracks=False)


class Study:
    """A study that ran, and one that was rebuilt from it."""

    def __init__(self, directory: Path) -> None:
        self.schedulers: list[ArmScheduler] = []
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(session, "ArmScheduler", self.remember)
            self.out = runner.run_study(SPACE, directory / "study", SETTINGS)
            self.lived = optuna_of(self.out)
            runner.resume_study(self.out, SETTINGS)
        self.rebuilt = optuna_of(self.out)

    def remember(self, *told: Any) -> ArmScheduler:
        self.schedulers.append(ArmScheduler(*told))
        return self.schedulers[-1]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, small_ray: None) -> Study:
    return Study(tmp_path_factory.mktemp("rebuilt"))


def test_optunas_studies(study: Study) -> None:
    assert study.rebuilt == study.lived


def test_the_rungs(study: Study) -> None:
    lived, rebuilt = study.schedulers
    assert {arm: vars(rungs) for arm, rungs in rebuilt._rungs.items()} == {
        arm: vars(rungs) for arm, rungs in lived._rungs.items()
    }
    assert rebuilt.stopped == lived.stopped != set()


def test_trials_that_were_stopped_are_pruned_with_their_values(study: Study) -> None:
    records = Ledger.open(study.out).records
    states = {"completed": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
    for arm, trials in study.lived.items():
        for number, state, values, params, intermediate in trials:
            record = records[f"search-{arm}-{number:03d}"]
            assert state == states[record.status]
            assert params == record.dealt.params
            assert intermediate == {e.epoch: e.metrics[OBJECTIVE] for e in record.epochs}
            last = record.metrics.get(OBJECTIVE)
            assert values == {"COMPLETE": [last], "PRUNED": [last], "FAIL": None}[state]
    assert "PRUNED" in {trial[1] for trials in study.lived.values() for trial in trials}
