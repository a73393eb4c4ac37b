"""Measures what the trainings of a study cost, each on the resources that a trial has."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray

from study.cost import Cost, cost_of
from study.plan import make_plan
from study.preflight import check_data, check_software
from study.ray_session import ray_session
from study.settings import settings_of
from study.space import Resources, Space
from study.trainable import Calibration, Trainable

Say = Callable[[str], None]
_NO_MATTER = {"seed", "epochs", "optimizer"}
"""Settings of a training that do not change what a step costs."""


def plan_cost(
    space: Space,
    trainable: Trainable,
    say: Say,
    address: str | None = None,
    concurrency: int | None = None,
) -> Cost:
    """What a study would cost, without running it.

    Args:
        space: the study.
        trainable: what it trains.
        say: hears of what is done.
        address: Ray cluster; left out, Ray is started on this machine.
        concurrency: trials at once; left out, as many as there is room for.

    Raises:
        ValueError: the data or the cluster is not as it should be, or trials can't be calibrated.
    """
    check_software(space, trainable)
    check_data(space, trainable, say)
    with ray_session(space.resources, address, concurrency) as slots:
        return measure(space, trainable, slots, say)


def measure(space: Space, trainable: Trainable, concurrency: int, say: Say) -> Cost:
    """Calibrates each distinct kind of arm, as many at once as trials run, within a Ray session.

    Each has a worker of its own, so that its peak of memory is what a trial would see.

    Raises:
        ValueError: trials can't be calibrated, or one did not work.
    """
    kinds: dict[str, list[str]] = {}
    for arm in space.arms:
        told = settings_of(space, arm).model_dump(mode="json", exclude=_NO_MATTER)
        kinds.setdefault(json.dumps(told, sort_keys=True), []).append(arm)
    waiting = [arms[0] for arms in kinds.values()]
    say(f"Calibrating {', '.join(waiting)}: a few steps each.")
    task, shared = _task(space.resources), ray.put(trainable)
    found: dict[str, Calibration] = {}
    running: dict[ray.ObjectRef, str] = {}
    while waiting or running:
        while waiting and len(running) < concurrency:
            arm = waiting.pop(0)
            running[task.remote(shared, space.arm_config(arm), str(Path.cwd()))] = arm
        (done,), _ = ray.wait(list(running))
        arm = running.pop(done)
        try:
            found[arm] = ray.get(done)
        except ray.exceptions.RayError as error:
            cause = " ".join(str(getattr(error, "cause", None) or error).split())[:500]
            raise ValueError(f"--calibrate: arm {arm}: {cause}") from None
    of_arms = {arm: found[arms[0]] for arms in kinds.values() for arm in arms}
    return cost_of(make_plan(space), {arm: of_arms[arm] for arm in space.arms}, concurrency)


def _task(resources: Resources) -> Any:
    own = ray.remote(num_cpus=resources.cpus, num_gpus=resources.gpus, max_calls=1)
    return own(_calibrate)


def _calibrate(trainable: Trainable, config: dict[str, object], home: str) -> Calibration:
    with contextlib.suppress(OSError):
        os.chdir(home)
    return trainable.calibrate(config)
