"""Which arms learn several tasks, which each of them alone, and what that gains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from study.settings import settings_of
from study.space import Space
from study.statistics import (
    Interval,
    Summary,
    TaskValues,
    multi_task_gain,
    relative_gain,
    student_interval,
    summarise,
)
from study.trainable import higher_is_better

Values = Mapping[str, Mapping[str, Mapping[int, float]]]
"""By arm, metric and seed."""


@dataclass(frozen=True, kw_only=True)
class TaskGain:
    """What an arm gains in one of its tasks."""

    task: str
    metric: str
    """The first of the compared metrics that is the task's."""
    alone: str
    """The arm that learns this task and no other."""
    mean: float
    """Relative gain in per cent, over the seeds that both have; NaN without any."""


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What an arm of several tasks gains over arms of one: Delta_m, in per cent."""

    arm: str
    tasks: tuple[TaskGain, ...]
    summary: Summary
    """Over the seeds that all arms concerned have."""
    interval: Interval
    """Student's, of the mean; NaN with fewer than two seeds."""


def find_gains(space: Space, values: Values) -> list[Gain]:
    """The multi-task gain of each arm that has one.

    An arm has one where it learns two or more tasks, each of which some arm learns alone and some
    compared metric speaks for, and where a seed has all these values.
    """
    tasks = {arm: settings_of(space, arm).tasks for arm in (space.compare.baseline, *space.arms)}
    alone: dict[str, str] = {}
    for arm, own in tasks.items():
        if len(own) == 1:
            alone.setdefault(own[0], arm)
    metrics: dict[str, str] = {}
    for metric in space.compare.metrics:
        metrics.setdefault(metric.split("/")[1], metric)
    found = [
        _gain(arm, {task: (metrics[task], alone[task]) for task in own}, values)
        for arm in space.arms
        if len(own := tasks[arm]) > 1 and all(task in metrics and task in alone for task in own)
    ]
    return [gain for gain in found if gain.summary.num]


def _gain(arm: str, tasks: Mapping[str, tuple[str, str]], values: Values) -> Gain:
    parts = {
        task: TaskValues(
            together=values[arm].get(metric, {}),
            alone=values[alone].get(metric, {}),
            higher_is_better=higher_is_better(metric),
        )
        for task, (metric, alone) in tasks.items()
    }
    by_seed = multi_task_gain(parts)
    return Gain(
        arm=arm,
        tasks=tuple(
            TaskGain(
                task=task,
                metric=metric,
                alone=alone,
                mean=summarise(relative_gain(parts[task])).mean,
            )
            for task, (metric, alone) in tasks.items()
        ),
        summary=summarise(by_seed),
        interval=student_interval(list(by_seed.values())),
    )
