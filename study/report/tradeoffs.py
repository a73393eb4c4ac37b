"""Pareto fronts as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from study.goals import Goal
from study.report.drawing import (
    Picture,
    arm_style,
    file_name,
    legend_below,
    new_axes,
    plain,
    save,
)
from study.report.pareto import front, goals_of, tried
from study.results import Results, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_tradeoffs(results: Results, directory: Path) -> list[Picture]:
    """Draws one figure for each pair of an objective and a metric that it is traded against.

    Args:
        results: the study.
        directory: where the files go.
    """
    pairs: dict[tuple[Goal, Goal], list[str]] = {}
    for arm in results.space.arms:
        first, *others = goals_of(results, arm)
        for other in others:
            pairs.setdefault((first, other), []).append(arm)
    pictures = []
    for (first, other), arms in pairs.items():
        if not any(tried(results, arm) for arm in arms):
            continue
        path = directory / f"front-{file_name(first.metric)}-{file_name(other.metric)}.png"
        save(_draw(results, first, other, arms), path)
        caption = (
            f"{first.metric} against {other.metric}: every trial of the search, and the line of "
            "those that none other of their arm beats in both"
        )
        pictures.append(Picture(path=path, caption=caption))
    return pictures


def _draw(results: Results, first: Goal, other: Goal, arms: list[str]) -> Figure:
    figure, axes = new_axes()
    for arm in arms:
        style = {**arm_style(results, arm), "linestyle": "-"}
        trials = tried(results, arm)
        x, y = _columns(trials, other, first)
        axes.scatter(x, y, color=style["color"], alpha=0.25, s=18, lw=0)
        x, y = _columns(front(trials, (first, other)), other, first)
        axes.plot(x, y, label=plain(arm), markersize=5, linewidth=1.5, **style)
    axes.set_xlabel(plain(f"{other.metric} ({_better(other)} is better)"))
    axes.set_ylabel(plain(f"{first.metric} ({_better(first)} is better)"))
    legend_below(figure, [axes])
    return figure


def _columns(trials: list[Row], *goals: Goal) -> list[list[float]]:
    return [[trial["metrics"][goal.metric] for trial in trials] for goal in goals]


def _better(goal: Goal) -> str:
    return "lower" if goal.mode == "min" else "higher"
