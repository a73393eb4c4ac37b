"""Nodes that are made up: Ray Tune's driver, with workers that are a list of what happens when.

In place of Ray's actors stands a clock that jumps from one thing that happens to the next. What a
worker would do is done here and not counted: it trains, and writes its checkpoint. All else is as
in a study on a cluster: Ray Tune's loop, the searcher, the scheduler, the ledger, the files. What
goes to a worker and comes from it is pickled, as Ray does; what Ray itself takes to carry it is
not there.
"""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ray import cloudpickle, tune
from ray.air.execution._internal.tracked_actor import TrackedActor
from ray.train._internal.session import _TrainingResult
from ray.tune.execution import tune_controller
from ray.tune.result import RESULT_DUPLICATE, SHOULD_CHECKPOINT

from study.events import Dealt
from study.simulate import STATE, Simulated
from study.worker import DRAWN, PLACE, SYSTEM

SECONDS_TO_START = 10.0
"""Of a worker."""
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


class MadeUpActors:
    """What Ray Tune asks of its `RayActorManager`, over a heap of what happens when.

    Args:
        clock: of the nodes.
        num_nodes: how many actors there is room for.
    """

    def __init__(self, clock: Clock, num_nodes: int) -> None:
        self._clock, self._num_nodes = clock, num_nodes
        self._heap: list[tuple[float, int, TrackedActor | None, Callable[[], None]]] = []
        self._order = count()
        self._dropped: set[int] = set()
        self._tasks: dict[TrackedActor, set[int]] = defaultdict(set)
        self._pending: dict[TrackedActor, tuple[dict[str, Any], Any]] = {}
        self._live_actors_to_ray_actors_resources: dict[TrackedActor, tuple[Worker, Any]] = {}
        self._num_started = count()
        self._idle = 0

    @property
    def num_live_actors(self) -> int:
        """Those that have a node."""
        return len(self._live_actors_to_ray_actors_resources)

    @property
    def num_pending_actors(self) -> int:
        """Those that wait for a node."""
        return len(self._pending)

    @property
    def num_total_actors(self) -> int:
        """All."""
        return self.num_live_actors + self.num_pending_actors

    @property
    def num_actor_tasks(self) -> int:
        """What is waited for."""
        return sum(map(len, self._tasks.values()))

    def is_actor_started(self, tracked_actor: TrackedActor) -> bool:
        """Whether it has a node."""
        return tracked_actor in self._live_actors_to_ray_actors_resources

    def is_actor_failed(self, _: TrackedActor) -> bool:
        """None does."""
        return False

    def get_live_actors_resources(self) -> Counter[str]:
        """Ray Tune prints it."""
        return Counter(CPU=self.num_live_actors)

    def add_actor(
        self, cls: Any, kwargs: dict[str, Any], resource_request: Any, **on: Any
    ) -> TrackedActor:
        """Asks for an actor."""
        actor = TrackedActor(uuid4().int, **on)
        self._pending[actor] = kwargs, resource_request
        return actor

    def remove_actor(
        self, tracked_actor: TrackedActor, kill: bool = False, stop_future: int | None = None
    ) -> bool:
        """Ends an actor."""
        actor = tracked_actor
        if self._pending.pop(actor, None) is not None:
            return False
        actor.set_on_start(None)

        def ended() -> None:
            del self._live_actors_to_ray_actors_resources[actor]
            self.clear_actor_task_futures(actor)
            if actor._on_stop:
                actor._on_stop(actor)

        self._at(SECONDS_TO_ANSWER, None, ended)
        return True

    def schedule_actor_task(
        self,
        tracked_actor: TrackedActor,
        method_name: str,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        on_result: Callable[[TrackedActor, Any], None] | None = None,
        on_error: Any = None,
        _return_future: bool = False,
    ) -> int | None:
        """Asks something of an actor, which answers later."""
        if tracked_actor in self._pending:
            return None
        worker = self._live_actors_to_ray_actors_resources[tracked_actor][0]
        seconds, answer = SECONDS_TO_ANSWER, b""
        if method_name == "train":
            seconds, answer = worker.train()
        elif method_name == "save":
            answer = worker.save()
        elif method_name == "reset":
            assert kwargs is not None
            worker.begin(cloudpickle.dumps((args[0], kwargs["storage"])))
            answer = cloudpickle.dumps(True)
        else:
            assert method_name == "stop", method_name
        if on_result is None:
            return None

        def heard() -> None:
            self._clock.answers += 1
            on_result(tracked_actor, cloudpickle.loads(answer))

        return self._at(seconds, tracked_actor, heard)

    def clear_actor_task_futures(self, tracked_actor: TrackedActor) -> None:
        """Waits for no answer of an actor any more."""
        self._dropped |= self._tasks.pop(tracked_actor, set())

    def next(self, timeout: float | None = None) -> bool:
        """Jumps to what happens next."""
        self._start()
        while self._heap:
            self._clock.now, number, actor, happens = heapq.heappop(self._heap)
            if number in self._dropped:
                self._dropped.discard(number)
                continue
            if actor is not None:
                self._tasks[actor].discard(number)
            happens()
            self._idle = 0
            self._start()
            return True
        self._idle += 1
        assert self._idle < 1000, "nothing runs, and nothing is asked for"
        return False

    def cleanup(self) -> None:
        """Ends all."""
        self._live_actors_to_ray_actors_resources.clear()
        self._pending.clear()

    def _at(self, seconds: float, actor: TrackedActor | None, happens: Callable[[], None]) -> int:
        number = next(self._order)
        heapq.heappush(self._heap, (self._clock.now + seconds, number, actor, happens))
        if actor is not None:
            self._tasks[actor].add(number)
        return number

    def _start(self) -> None:
        """Gives nodes to those that wait, while there are any."""
        while self._pending and self.num_live_actors < self._num_nodes:
            actor = next(iter(self._pending))
            kwargs, request = self._pending.pop(actor)
            number = next(self._num_started)
            chance = random.Random(number)
            worker = Worker(self._clock, f"node-{number:03d}", chance.uniform(0.7, 1.3), chance)
            self._live_actors_to_ray_actors_resources[actor] = worker, request
            told = cloudpickle.dumps((kwargs["config"], kwargs["storage"]))

            def started(
                worker: Worker = worker, told: bytes = told, actor: TrackedActor = actor
            ) -> None:
                if actor._on_start:
                    worker.begin(told)
                    actor._on_start(actor)

            self._at(SECONDS_TO_START, None, started)


def make_up_nodes(patched: pytest.MonkeyPatch, num_nodes: int) -> Clock:
    """Lets Ray Tune work with made-up nodes from here on; what they have taken, as it grows."""
    clock = Clock()
    patched.setattr(tune_controller, "RayActorManager", lambda **_: MadeUpActors(clock, num_nodes))
    return clock
