"""A worker that is made up: it trains at once, and tells of it epoch by epoch."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ray import cloudpickle, tune
from ray.train._internal.session import _TrainingResult
from ray.tune.result import RESULT_DUPLICATE, SHOULD_CHECKPOINT

from study.events import Dealt
from study.simulate import STATE, Simulated
from study.worker import DRAWN, FILES, PLACE, SYSTEM

SECONDS_AN_EPOCH = 60.0
"""On a node of medium speed."""
SECONDS_TO_ANSWER = 0.01
"""Of a worker that is asked for what it has."""
_SYSTEM = {"cpu_percent": 100.0, "memory_mib": 512.0, "memory_peak_mib": 600.0}


@dataclass
class Clock:
    """What the made-up nodes have taken."""

    now: float = 0.0
    """Their time."""
    not_counted_s: float = 0.0
    """CPU time of this process for what workers would do."""
    busy_s: float = 0.0
    """Their time, over all nodes, in which something was trained."""
    answers: int = 0
    """How often a worker has answered."""

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Does what another machine would."""
        before = time.process_time()
        try:
            yield
        finally:
            self.not_counted_s += time.process_time() - before


class Method:
    """A method of an actor that answers at once."""

    def remote(self, **_: Any) -> dict[str, Any]:
        """What Ray Tune asks of each actor that it begins with."""
        return {"pid": 1, "hostname": "made-up", "node_ip": "127.0.0.1"}


@dataclass(eq=False)
class Worker:
    """A made-up actor: the trainings that it is given, one after the other."""

    clock: Clock
    node: str
    speed: float
    chance: random.Random
    get_auto_filled_metrics: Method = field(default_factory=Method)
    reports: deque[tuple[dict[str, float], str]] = field(default_factory=deque)
    last: _TrainingResult | None = None
    iteration: int = 0

    def begin(self, told: bytes) -> None:
        """Takes a trial: all of its training is done here, and told epoch by epoch."""
        with self.clock.elsewhere():
            self.config, self.storage = cloudpickle.loads(told)
            self.storage.current_checkpoint_index = -1
            dealt: Dealt = self.config["dealt"]
            self.reports, self.iteration = deque(), 0

            def report(metrics: dict[str, float], checkpoint: Path) -> None:
                self.reports.append((dict(metrics), (checkpoint / STATE).read_text()))

            Simulated().fit(dealt.config, report, None)

    def train(self) -> tuple[float, bytes]:
        """Seconds until it answers, and its answer."""
        with self.clock.elsewhere():
            if not self.reports:
                over = {RESULT_DUPLICATE: True, SHOULD_CHECKPOINT: False}
                return SECONDS_TO_ANSWER, cloudpickle.dumps(over)
            metrics, state = self.reports.popleft()
            seconds = SECONDS_AN_EPOCH / self.speed * self.chance.uniform(0.9, 1.1)
            self.clock.busy_s += seconds
            return seconds, cloudpickle.dumps(self._result(metrics, state, seconds))

    def save(self) -> bytes:
        """What Ray Tune asks for after an epoch: where the checkpoint is."""
        with self.clock.elsewhere():
            return cloudpickle.dumps(self.last)

    def _result(self, metrics: dict[str, float], state: str, seconds: float) -> dict[str, Any]:
        self.iteration += 1
        self.storage.current_checkpoint_index += 1
        path = Path(self.storage.checkpoint_fs_path)
        path.mkdir(parents=True)
        (path / STATE).write_text(state)
        epoch = int(metrics["epoch"])
        result: dict[str, Any] = {
            "epoch": epoch,
            "metrics": {k: v for k, v in metrics.items() if k != "epoch"},
            DRAWN: False,
            FILES: {},
            SYSTEM: _SYSTEM,
            PLACE: {"node": self.node, "device": "cpu"},
            "checkpoint_dir_name": path.name,
            SHOULD_CHECKPOINT: True,
            "done": False,
            "training_iteration": self.iteration,
            "time_this_iter_s": seconds,
            "time_total_s": seconds * self.iteration,
            "timestamp": 0,
            "date": "2026-01-01_00-00-00",
            "pid": 1,
            "hostname": self.node,
            "node_ip": "127.0.0.1",
            "config": {"dealt": self.config["dealt"], "resume_from": self.config["resume_from"]},
            "time_since_restore": seconds * self.iteration,
            "iterations_since_restore": self.iteration,
        }
        checkpoint = tune.Checkpoint(str(path), self.storage.storage_filesystem)
        self.last = _TrainingResult(checkpoint=checkpoint, metrics=result)
        return result
