"""What a study would cost, and what it came to."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mtdepth.calibrate import calibrate
from mtdepth.config import DataConfig, TrainConfig
from study import run
from study.cost import cost_of, epoch_seconds, fewest_epochs
from study.cost_words import against_actual, planned_in_words, render_cost, size
from study.goals import Objective
from study.ledger import Ledger
from study.plan import make_plan
from study.runner import Settings, plan_study, run_study
from study.scheduler import Rungs
from study.simulate import Simulated
from study.space import Scheduler
from study.trainable import Calibration
from tests.study.simulated import simulated_space

ONE = Calibration(
    start_seconds=1.0,
    steps_an_epoch=10,
    steps_with_val=15,
    seconds_a_step=0.5,
    seconds_a_first_step=0.7,
    num_val_images=20,
    seconds_an_image=0.1,
    save_seconds=1.0,
    checkpoint_bytes=1000,
    memory_bytes=5 * 2**30,
    device_memory_bytes=0,
)
ARMS = {"equal": ONE, "dwa": ONE}


def test_a_cost_is_worked_out_by_hand() -> None:
    space = simulated_space(confirm={"seeds": [1, 2]}, resources={"gpus": 0.5})
    cost = cost_of(make_plan(space), ARMS, dict.fromkeys(ARMS, 2))
    assert epoch_seconds(ONE) == 10 * 0.5 + 20 * 0.1 + 1
    seconds = 2 * 5 * (1 + 3 * 8) + 2 * 10 * 0.2
    assert cost.device_hours == (pytest.approx(seconds * 0.5 / 3600),) * 2
    assert cost.hours == (pytest.approx(seconds / 2 / 3600),) * 2
    assert cost.disk_bytes == (4 + 2 * 3) * 1000
    assert cost.memory_bytes == 5 * 2**30
    early = space.model_copy(update={"scheduler": Scheduler(name="asha")})
    low, high = cost_of(make_plan(early), ARMS, dict.fromkeys(ARMS, 2)).device_hours
    assert high == cost.device_hours[1]
    assert low == pytest.approx(high - 2 * 2 * 2 * 8 * 0.5 / 3600), "two of three end after one"


@pytest.mark.parametrize(("num_trials", "num_epochs"), [(1, 1), (1, 9), (9, 9), (8, 4), (30, 27)])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_the_fewest_epochs_are_no_more_than_falling_values_take(
    num_trials: int, num_epochs: int, factor: int
) -> None:
    """Each trial is worse than all before it, so that as many end early as the rungs allow."""
    scheduler = Scheduler(name="asha", reduction_factor=factor)
    rungs, taken = Rungs(scheduler, Objective(metric="x", mode="min")), 0
    for trial in range(num_trials):
        for epoch in range(1, num_epochs + 1):
            taken += 1
            if rungs.stops(str(trial), epoch, num_epochs, float(trial)):
                break
    fewest = fewest_epochs(num_trials, num_epochs, scheduler)
    assert num_trials <= fewest <= num_trials * num_epochs
    assert taken <= fewest or num_trials == 1
    assert fewest_epochs(num_trials, num_epochs, Scheduler()) == num_trials * num_epochs


def test_a_few_steps_of_a_real_training_tell_what_it_costs(tiny_data: DataConfig) -> None:
    slim: dict[str, Any] = {"encoder": {"width": 8, "weights": "none"}, "decoder": {"width": 4}}
    config = TrainConfig(tasks=("depth",), data=tiny_data, batch_size=2, max_val_samples=3, **slim)
    found = calibrate(config, num_steps=2)
    assert (found.steps_an_epoch, found.num_val_images) == (4, 3)
    assert found.steps_with_val > found.steps_an_epoch
    assert calibrate(config.model_copy(update={"max_steps_per_epoch": 1})).steps_an_epoch == 1
    positive = ("start_seconds", "seconds_a_step", "seconds_a_first_step", "seconds_an_image")
    assert all(getattr(found, name) > 0 for name in positive)
    assert found.checkpoint_bytes > 10_000
    assert found.memory_bytes > 2**26


@pytest.mark.usefixtures("small_ray")
def test_a_run_that_was_calibrated_sets_planned_against_actual(tmp_path: Path) -> None:
    space = simulated_space(confirm={"seeds": [1]})
    settings = Settings(trainable=Simulated(), tracks=False, concurrency=2, calibrates=True)
    ledger = Ledger.open(run_study(space, tmp_path / "study", settings))
    manifest = ledger.manifest
    assert manifest["planned"]["concurrency"] == 2
    assert set(manifest["planned"]["arms"]) == {"equal", "dwa"}
    trials = ledger.trials()
    used = trials.device_seconds.sum() / 3600
    assert manifest["actual"]["device_hours"] == pytest.approx(used)
    assert manifest["actual"]["memory_bytes"] > 2**26
    assert manifest["actual"]["disk_bytes"] > 1000
    report = (ledger.directory / "report.md").read_text()
    assert "| device time | 0 s |" in report
    assert "what it came to" in (ledger.directory / "report.html").read_text()


@pytest.mark.usefixtures("small_ray")
def test_a_plan_says_hours_disk_and_memory_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(trainable=Simulated(seconds=60), concurrency=1)
    cost = plan_study(simulated_space(), settings)
    assert cost.hours[1] == pytest.approx(6 * 3 * 60 / 3600)
    assert "Calibrating equal, dwa" in capsys.readouterr().out
    out = StringIO()
    Console(file=out, width=120).print(render_cost(cost))
    assert "device time: 18 min" in out.getvalue()
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_known_is_said() -> None:
    told = cost_of(make_plan(simulated_space()), ARMS, dict.fromkeys(ARMS, 1)).told()
    assert against_actual(None, {"hours": 1.0}) == []
    rows = {row["what"]: row["actual"] for row in against_actual(told, None)}
    assert set(rows) == set(planned_in_words(told))
    assert set(rows.values()) == {"not known"}
    assert [size(n) for n in (2000, 50 * 2**20, 3 * 2**30)] == ["0.0019 MiB", "50 MiB", "3.0 GiB"]


def test_calibrate_does_not_go_with_resume(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--resume", "none", "--calibrate"]) == run.BAD_INPUT
    assert "--calibrate does not go with --resume" in capsys.readouterr().err
