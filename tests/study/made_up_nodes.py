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
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from ray import cloudpickle
from ray.air.execution._internal.tracked_actor import TrackedActor
from ray.tune.execution import tune_controller

from tests.study.made_up_worker import SECONDS_TO_ANSWER, Clock, Worker

SECONDS_TO_START = 10.0
"""Of a worker."""


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
