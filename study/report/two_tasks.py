"""Depth against instances, as one picture: what learning one costs the other."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from study.goals import Goal
from study.report.drawing import Picture, arm_style, grid_of_axes, legend_below, plain, save
from study.report.pareto import front
from study.results import Results, Row
from study.trainable import higher_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TASKS = "instances", "depth"
"""From left to right, and upwards."""


def draw_two_tasks(results: Results, directory: Path) -> list[Picture]:
    """Draws trials by what they reached in both tasks, on validation and on test; none where no
    trial has both.

    Args:
        results: the study.
        directory: where the files go.
    """
    shown = {
        split: trials
        for split in ("val", "test")
        if (metrics := _metrics(results, split)) and (trials := _both(results, metrics))
    }
    if not shown:
        return []
    figure, every = grid_of_axes(len(shown), 2, 5.2, 4.2)
    for axes, (split, trials) in zip(every, shown.items(), strict=True):
        _draw(results, axes, trials, _metrics(results, split))
        axes.set_title({"val": "validation", "test": "test"}[split], fontsize=10)
    legend_below(figure, every)
    save(figure, directory / "two-tasks.png")
    caption = (
        "Depth against instances, better upwards and to the right. Large marks: trainings with "
        "fresh seeds; small ones: trials of the search. The line joins those that none other "
        "beats in both, over all arms. Dashed: the mean of an arm that learns one task alone"
    )
    return [Picture(path=directory / "two-tasks.png", caption=caption, is_wide=len(every) > 1)]


def _metrics(results: Results, split: str) -> tuple[str, ...]:
    """One metric of each task: the first that is compared, without a region where there is one."""
    found = []
    for task in TASKS:
        own = [m for m in results.space.compare.metrics if m.split("/")[1] == task]
        own.sort(key=lambda metric: metric.count("/"))
        found += [f"{split}/{own[0].split('/', 1)[1]}"] if own else []
    return tuple(found) if len(found) == len(TASKS) else ()


def _both(results: Results, metrics: tuple[str, ...]) -> list[Row]:
    """Completed trials that have a finite value in each."""
    return [
        trial
        for trial in results.trials
        if trial["status"] == "completed"
        and all(math.isfinite(trial["metrics"].get(metric, math.nan)) for metric in metrics)
    ]


def _draw(results: Results, axes: Axes, trials: list[Row], metrics: tuple[str, ...]) -> None:
    x, y = metrics
    goals = tuple(Goal(metric=m, mode="max" if higher_is_better(m) else "min") for m in metrics)
    best = front(trials, goals)
    if len(best) > 1:
        points = [[trial["metrics"][m] for trial in best] for m in metrics]
        axes.plot(*points, color="#8b949e", lw=1.2, zorder=1)
    for arm in results.space.arms:
        style = {k: v for k, v in arm_style(results, arm).items() if k != "linestyle"}
        for phase, size, alpha in (("confirm", 60, 0.95), ("search", 18, 0.45)):
            own = [t["metrics"] for t in trials if (t["arm"], t["phase"]) == (arm, phase)]
            if own:
                left, up = ([one[m] for one in own] for m in metrics)
                name = plain(arm)
                axes.scatter(left, up, s=size, alpha=alpha, lw=0, label=name, zorder=2, **style)
    _draw_alone(results, axes, x, is_upright=True)
    _draw_alone(results, axes, y, is_upright=False)
    for metric, axis in ((x, axes.xaxis), (y, axes.yaxis)):
        axis.set_label_text(plain(f"{metric} {'↑' if higher_is_better(metric) else '↓'}"))
        axis.set_inverted(not higher_is_better(metric))


def _draw_alone(results: Results, axes: Axes, metric: str, *, is_upright: bool) -> None:
    """The mean of each arm that has this metric, and none of the other task."""
    task = metric.split("/")[1]
    other = next(name for name in TASKS if name != task)
    for arm, by_metric in results.values.items():
        values = list(by_metric.get(metric, {}).values())
        if not values or any(name.split("/")[1:2] == [other] for name in by_metric):
            continue
        style = arm_style(results, arm)
        line = axes.axvline if is_upright else axes.axhline
        line(math.fsum(values) / len(values), color=style["color"], ls="--", lw=1.4)
        axes.plot([], [], color=style["color"], ls="--", label=plain(f"{arm}, alone"))
