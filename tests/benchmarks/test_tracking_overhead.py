"""What tracking costs a trial: beside Ray's own MLflow callback, and beside a real training.

Run by hand: `pytest -m slow -s tests/benchmarks/test_tracking_overhead.py`; a few minutes. Both
write to a database of their own on the same disk. Ray's callback works within the driver's loop, so
that all trials wait for it. Ours works in a thread beside it: all that thread's time is counted, as
if it were waited for, and what the worker measures and the driver hears of the runs as well.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ray.air.integrations.mlflow import MLflowLoggerCallback

from study.events import Dealt, EpochEnded, TrialEnded, now
from study.ledger import Ledger
from study.pictures import draw_picture
from study.space_loading import load_space
from study.system_metrics import SystemMeter
from study.tracking.mirror import Mirror
from study.tracking.server import connect
from study.tracking.tracker import bring_up
from study.tracking.verification import check
from study.trainable import Mtdepth
from tests.study.ledgers import write_study

NUM_TRIALS, NUM_EPOCHS, NUM_METRICS = 4, 20, 30
MAX_OF_RAYS, MAX_OF_A_TRIAL = 0.1, 0.01
MAX_OF_PICTURES = 0.03
"""Of a trial of four short epochs; a picture costs as much in a long one."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray's callback is full of them
]


@dataclass
class Cost:
    """What one trial takes."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def measure(self, work: Callable[[], Any]) -> Any:
        """Does something, and adds what it took of this thread."""
        wall, cpu = time.perf_counter(), time.thread_time()
        done = work()
        self.wall_s += time.perf_counter() - wall
        self.cpu_s += time.thread_time() - cpu
        return done


def database(path: Path) -> str:
    """An empty one; to make it takes seconds, which are not counted."""
    connect(f"sqlite:///{path}").search_experiments()
    return f"sqlite:///{path}"


def metrics_of(epoch: int) -> dict[str, float]:
    chance = random.Random(epoch)
    return {f"val/depth/metric_{i:02d}": chance.random() for i in range(NUM_METRICS)}


class Trial:
    """As much of Ray's as its callback looks at; told by what it is, as there."""

    def __init__(self, number: int) -> None:
        self.name, self.config = f"trial-{number}", {"optimizer.lr": 0.1, "seed": number}

    def __str__(self) -> str:
        return self.name


def by_ray(uri: str) -> Cost:
    cost, callback = Cost(), MLflowLoggerCallback(tracking_uri=uri, experiment_name="ray")
    callback.setup()
    for number in range(NUM_TRIALS):
        trial: Any = Trial(number)
        cost.measure(lambda trial=trial: callback.log_trial_start(trial))
        for epoch in range(1, NUM_EPOCHS + 1):
            result = {**metrics_of(epoch), "training_iteration": epoch}
            cost.measure(lambda t=trial, e=epoch, r=result: callback.log_trial_result(e, t, r))
        cost.measure(lambda trial=trial: callback.log_trial_end(trial))
    return Cost(cost.wall_s / NUM_TRIALS, cost.cpu_s / NUM_TRIALS)


class Ours:
    """A study told by hand, brought up to date after each epoch, as where an epoch takes a while.

    The thread is not needed to count what it does.
    """

    def __init__(self, directory: Path, uri: str) -> None:
        data = {"data-0": {s: {"num_samples": 1, "fingerprint": s} for s in ("train", "val")}}
        self.ledger = Ledger.open(write_study(directory, [], data=data), writable=True)
        self.mirror, self.cost = Mirror(self.ledger, uri), Cost()

    def deal(self, number: int, num_epochs: int) -> str:
        key = f"search-a-{number:03d}"
        params = {"optimizer.lr": 0.1}
        told: Any = {"trial_key": key, "phase": "search", "arm": "a", "seed": number}
        self.ledger.append(
            Dealt(**told, params=params, config={"optimizer": {"lr": 0.1}}, num_epochs=num_epochs)
        )
        self.follow()
        return key

    def hear(self, key: str, epoch: int, metrics: dict[str, float], meter: SystemMeter) -> None:
        told: Any = {"trial_key": key, "epoch": epoch, "metrics": metrics, "checkpoint": None}
        system = self.cost.measure(meter.read)
        self.ledger.append(EpochEnded(**told, seconds=1.0, system=system))
        self.follow()

    def end(self, key: str) -> None:
        self.ledger.append(TrialEnded(trial_key=key, status="completed"))
        self.follow()

    def follow(self) -> None:
        self.cost.measure(lambda: bring_up(self.ledger, self.mirror, is_running=True))


def by_us(directory: Path, uri: str) -> Cost:
    ours = Ours(directory, uri)
    for number in range(NUM_TRIALS):
        with SystemMeter() as meter:
            key = ours.deal(number, NUM_EPOCHS)
            for epoch in range(1, NUM_EPOCHS + 1):
                ours.hear(key, epoch, metrics_of(epoch), meter)
        ours.end(key)
    bring_up(ours.ledger, ours.mirror, is_running=False)
    ours.ledger.update_manifest(ended=now())
    ours.mirror.close()
    assert check(ours.ledger, uri).differences == (), "all of it is there"
    ours.ledger.close()
    return Cost(ours.cost.wall_s / NUM_TRIALS, ours.cost.cpu_s / NUM_TRIALS)


def test_it_costs_less_than_a_tenth_of_rays_callback(tmp_path: Path) -> None:
    rays = by_ray(database(tmp_path / "ray.db"))
    ours = by_us(tmp_path / "study", database(tmp_path / "ours.db"))
    print(
        f"{NUM_EPOCHS} epochs of {NUM_METRICS} metrics: Ray's callback takes {rays.wall_s:.2f} s a "
        f"trial ({rays.cpu_s:.2f} s of a core); ours {ours.wall_s:.3f} s ({ours.cpu_s:.3f}), "
        f"{ours.wall_s / rays.wall_s:.3f} of that ({ours.cpu_s / rays.cpu_s:.3f})"
    )
    assert ours.wall_s < MAX_OF_RAYS * rays.wall_s
    assert ours.cpu_s < MAX_OF_RAYS * rays.cpu_s


def test_it_costs_less_than_a_hundredth_of_a_real_trial(tmp_path: Path) -> None:
    ours = Ours(tmp_path / "study", database(tmp_path / "ours.db"))
    subject, pictures = Mtdepth(), Cost()
    config = load_space("weighting.yaml").arm_config("mt-equal")
    subject.check_data(config)
    num_epochs = int(config["epochs"])
    key = ours.deal(0, num_epochs)
    whole = time.process_time()
    with SystemMeter() as meter:

        def report(metrics: dict[str, float], checkpoint: Path) -> None:
            epoch = int(metrics.pop("epoch"))
            every = load_space("weighting.yaml").pictures.every_epochs
            pictures.measure(lambda: draw_picture(subject, checkpoint, epoch, num_epochs, every))
            ours.hear(key, epoch, metrics, meter)

        subject.fit(config, report, None)
    ours.end(key)
    trial_s = time.process_time() - whole - pictures.cpu_s - ours.cost.cpu_s
    print(
        f"a trial of weighting.yaml takes {trial_s:.1f} s of a core; tracking it "
        f"{ours.cost.cpu_s:.3f} s ({ours.cost.cpu_s / trial_s:.4f}), its pictures "
        f"{pictures.cpu_s:.3f} s ({pictures.cpu_s / trial_s:.4f})"
    )
    assert ours.cost.cpu_s < MAX_OF_A_TRIAL * trial_s
    assert 0 < pictures.cpu_s < MAX_OF_PICTURES * trial_s
