"""What learning tasks together gains over learning each alone, over all tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TaskValues:
    """One task, by the one metric that speaks for it."""

    together: Mapping[int, float]
    """The arm that learns several tasks, by seed."""
    alone: Mapping[int, float]
    """The arm that learns this task alone, by seed."""
    higher_is_better: bool


def relative_gain(task: TaskValues) -> dict[int, float]:
    """(-1)^l (M_together - M_alone) / M_alone in per cent by seed, l = 1 where less is better.

    Above 0 is better. Seeds that one of the two lacks, or whose gain is not finite, as over an arm
    that reached 0, are left out.
    """
    sign = 1 if task.higher_is_better else -1
    gains = {
        seed: 100 * sign * (task.together[seed] - alone) / alone
        for seed, alone in sorted(task.alone.items())
        if seed in task.together and alone != 0
    }
    return {seed: gain for seed, gain in gains.items() if math.isfinite(gain)}


def multi_task_gain(tasks: Mapping[str, TaskValues]) -> dict[int, float]:
    """Delta_m in per cent by seed: the mean over tasks of their relative gains.

    Maninis et al. 2019 ("Attentive single-tasking of multiple tasks") and Vandenhende et al. 2021
    ("Multi-task learning for dense prediction tasks: a survey") give it for one training each; by
    seed, it has a spread. Seeds that a task lacks are left out.
    """
    gains = [relative_gain(task) for task in tasks.values()]
    common = set(gains[0]).intersection(*gains) if gains else set()
    return {seed: sum(gain[seed] for gain in gains) / len(gains) for seed in sorted(common)}
