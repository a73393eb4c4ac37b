"""Measures what the trainings of a study cost, each on the resources that a trial has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ray

from study.cost import Cost, cost_of
from study.place import enter
from study.placement import options_of
from study.plan import make_plan
from study.resources import Resources
from study.space import Space
from study.trainable import Calibration, Trainable
from study.words import one_line

Say = Callable[[str], None]
_NO_MATTER = {"seed", "epochs", "optimizer"}
"""Settings of a training that do not change what a step costs."""


def measure(space: Space, trainable: Trainable, at_once: Mapping[str, int], say: Say) -> Cost:
    """Calibrates each distinct kind of arm, as many at once as trials run, within a Ray session.

    Each has a worker of its own, so that its peak of memory is what a trial would see.

    Args:
        space: the study.
        trainable: what is trained.
        at_once: how many trials of each arm run at once.
        say: hears of what is done.

    Raises:
        ValueError: trials can't be calibrated, or one did not work.
    """
    configs = {arm: space.arm_config(arm) for arm in space.arms}
    resources = {arm: space.resources_of(arm) for arm in space.arms}
    found = calibrations(configs, trainable, resources, max(at_once.values()), say)
    return cost_of(make_plan(space), found, at_once)


def calibrations(
    configs: Mapping[str, Mapping[str, Any]],
    trainable: Trainable,
    resources: Mapping[str, Resources],
    concurrency: int,
    say: Say,
    *,
    asked_by: str = "--calibrate",
) -> dict[str, Calibration]:
    """What trainings cost.

    Args:
        configs: by the arm, or what else it is called.
        trainable: what is trained.
        resources: of a training, by the same names.
        concurrency: how many are calibrated at once.
        say: hears of what is done.
        asked_by: what an error begins with.

    Raises:
        ValueError: trials can't be calibrated, or one did not work.
    """
    kinds: dict[str, list[str]] = {}
    for arm, config in configs.items():
        told = {name: value for name, value in config.items() if name not in _NO_MATTER}
        kind = [told, resources[arm].model_dump()]
        kinds.setdefault(json.dumps(kind, sort_keys=True, default=str), []).append(arm)
    waiting = [arms[0] for arms in kinds.values()]
    say(f"Calibrating {', '.join(waiting)}: a few steps each.")
    task, shared = ray.remote(max_calls=1)(_calibrate), ray.put(trainable)
    found: dict[str, Calibration] = {}
    running: dict[ray.ObjectRef, str] = {}
    while waiting or running:
        while waiting and len(running) < concurrency:
            arm = waiting.pop(0)
            own = task.options(**options_of(resources[arm]))
            running[own.remote(shared, configs[arm], str(Path.cwd()))] = arm
        (done,), _ = ray.wait(list(running))
        arm = running.pop(done)
        try:
            found[arm] = ray.get(done)
        except ray.exceptions.RayError as error:
            cause = one_line(str(getattr(error, "cause", None) or error))
            raise ValueError(f"{asked_by}: arm {arm}: {cause}") from None
    of_arms = {arm: found[arms[0]] for arms in kinds.values() for arm in arms}
    return {arm: of_arms[arm] for arm in configs}


def _calibrate(trainable: Trainable, config: dict[str, object], home: str) -> Calibration:
    enter(home)
    return trainable.calibrate(config)
