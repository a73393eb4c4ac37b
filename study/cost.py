"""What a study would cost, told from what a few steps of each of its arms do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from study.plan import ArmPlan, Plan
from study.space import Scheduler, Space
from study.trainable import Calibration

NUM_PASSING = 3
"""Checkpoints of a trial that may lie on disk at once, while it runs."""
GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of search and confirmation; times are from as many early ends as can be, to none."""

    hours: tuple[float, float]
    device_hours: tuple[float, float]
    disk_bytes: int
    """Models that are kept, and checkpoints of what runs; tables and pictures are small."""
    memory_bytes: int
    """Of one trial, at its peak; the greatest of all arms."""
    device_memory_bytes: int
    concurrency: int
    """Trials at once, at most."""
    arms: Mapping[str, Calibration]

    def told(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def cost_of(plan: Plan, arms: Mapping[str, Calibration], at_once: Mapping[str, int]) -> Cost:
    """What a plan costs.

    Args:
        plan: of the study.
        arms: what each arm's training costs.
        at_once: trials of each arm, were it the only one: each occupies that part of the cluster.
    """
    space, concurrency = plan.space, max(at_once.values())
    low, high = (_spent(plan, arms, at_once, s) for s in (space.scheduler, Scheduler()))
    kept = sum(
        (arm.num_confirm if space.confirm.seeds else arm.num_search)
        * arms[arm.name].checkpoint_bytes
        for arm in plan.arms
    )
    largest = max(one.checkpoint_bytes for one in arms.values())
    return Cost(
        hours=(low[0] / 3600, high[0] / 3600),
        device_hours=(low[1] / 3600, high[1] / 3600),
        disk_bytes=kept + concurrency * NUM_PASSING * largest,
        memory_bytes=max(one.memory_bytes for one in arms.values()),
        device_memory_bytes=max(one.device_memory_bytes for one in arms.values()),
        concurrency=concurrency,
        arms=dict(arms),
    )


def epoch_seconds(measured: Calibration) -> float:
    """Of an epoch whose images are in memory: its steps, its judgement, its checkpoint."""
    steps = measured.steps_an_epoch * measured.seconds_a_step
    return steps + measured.num_val_images * measured.seconds_an_image + measured.save_seconds


def confirmed_epoch_seconds(measured: Calibration, train_on: str) -> float:
    """Of an epoch of a confirmed training, which may learn from the validation split."""
    if train_on == "train":
        return epoch_seconds(measured)
    return measured.steps_with_val * measured.seconds_a_step + measured.save_seconds


def fewest_epochs(num_trials: int, num_epochs: int, scheduler: Scheduler) -> int:
    """Epochs of an arm's search, if as many of its trials end early as the rungs allow."""
    if scheduler.name == "none":
        return num_trials * num_epochs
    total, left, done = 0, num_trials, 0
    milestone = float(scheduler.grace_epochs)
    while math.ceil(milestone) < num_epochs:
        total += left * (math.ceil(milestone) - done)
        done, left = math.ceil(milestone), math.ceil(left / scheduler.reduction_factor)
        milestone *= scheduler.reduction_factor
    return total + left * (num_epochs - done)


def _spent(
    plan: Plan,
    arms: Mapping[str, Calibration],
    at_once: Mapping[str, int],
    scheduler: Scheduler,
) -> tuple[float, float]:
    """Seconds of the study, and of its devices; each process has a first epoch once."""
    devices, first = plan.space.num_devices, {n: _first_epoch_seconds(arms[n]) for n in arms}
    seconds = {a.name: _arm_seconds(plan.space, a, arms[a.name], scheduler) for a in plan.arms}
    return (
        sum(value / at_once[arm] for arm, value in seconds.items()) + max(first.values()),
        sum(value * devices[arm] for arm, value in seconds.items())
        + max(value * at_once[arm] * devices[arm] for arm, value in first.items()),
    )


def _arm_seconds(space: Space, arm: ArmPlan, measured: Calibration, scheduler: Scheduler) -> float:
    """Of all trials of an arm, as many of which end early as the scheduler allows."""
    each = arm.max_epochs // arm.num_trials
    search = fewest_epochs(arm.num_search, each, scheduler) * epoch_seconds(measured)
    confirmed = confirmed_epoch_seconds(measured, space.confirm.train_on)
    return arm.num_trials * measured.start_seconds + search + arm.num_confirm * each * confirmed


def _first_epoch_seconds(measured: Calibration) -> float:
    """What the first epoch of a process takes longer, as its images are read from disk."""
    more = measured.seconds_a_first_step - measured.seconds_a_step
    return max(0.0, more) * measured.steps_an_epoch
