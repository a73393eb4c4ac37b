"""How the search of each arm went, as pictures: its history, and the objective by each setting."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.conditions import searched_by
from study.report.drawing import FAINT, Picture, arm_style, file_name, grid_of_axes, plain, save
from study.results import Results, Row
from study.search_language import Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_SLICES = 11
"""Settings that a figure has room for."""


def draw_searches(results: Results, directory: Path) -> list[Picture]:
    """Draws a figure for each arm that was searched.

    Args:
        results: the study.
        directory: where the files go.
    """
    pictures = []
    for arm in results.space.arms:
        trials = [t for t in results.trials if (t["phase"], t["arm"]) == ("search", arm)]
        if not any(math.isfinite(trial["objective"]) for trial in trials):
            continue
        parameters = list(searched_by(results.space, arm).items())[:MAX_SLICES]
        figure, (first, *others) = grid_of_axes(1 + len(parameters), 3, 3.5, 2.7)
        _draw_history(results, first, arm, trials)
        for axes, (name, parameter) in zip(others, parameters, strict=True):
            _draw_slice(results, axes, arm, trials, name, parameter)
        path = directory / f"search-{file_name(arm)}.png"
        save(figure, path)
        caption = f"The search of {arm}: {results.objectives[arm]} by trial, and by each setting"
        pictures.append(Picture(path=path, caption=caption, is_wide=bool(parameters)))
    return pictures


def _draw_history(results: Results, axes: Axes, arm: str, trials: list[Row]) -> None:
    from matplotlib.ticker import MaxNLocator

    better = min if results.space.objective_of(arm).mode == "min" else max
    color = arm_style(results, arm)["color"]
    best, steps = math.nan, []
    for number, trial in enumerate(trials):
        value, status = trial["objective"], trial["status"]
        if status == "completed" and math.isfinite(value):
            axes.plot([number], [value], "o", color=color, alpha=0.75, ms=4.5, mew=0)
            best = value if math.isnan(best) else better(best, value)
        elif math.isfinite(value):
            axes.plot([number], [value], "o", mfc="none", mec=FAINT, ms=4.5)
        elif status == "failed":
            low = axes.get_xaxis_transform()
            axes.plot([number], [0.02], "x", color="#D55E00", ms=5, transform=low)
        steps.append(best)
    axes.step(range(len(steps)), steps, where="post", color=color, lw=1.5)
    axes.set_xlabel("trial", fontsize=9)
    axes.set_ylabel(plain(results.objectives[arm]), fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def _draw_slice(
    results: Results, axes: Axes, arm: str, trials: list[Row], name: str, parameter: Parameter
) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    own = [
        (number, trial)
        for number, trial in enumerate(trials)
        if name in trial["params"]
        and trial["status"] == "completed"
        and math.isfinite(trial["objective"])
    ]
    shades = LinearSegmentedColormap.from_list("", ["#dddddd", arm_style(results, arm)["color"]])
    choices = _choices(parameter)
    values = [trial["params"][name] for _, trial in own]
    axes.scatter(
        [choices.index(value) for value in values] if choices else values,
        [trial["objective"] for _, trial in own],
        c=[number / max(1, len(trials) - 1) for number, _ in own],
        cmap=shades, vmin=-0.3, vmax=1, s=22, lw=0,
    )  # fmt: skip
    if choices:
        axes.set_xticks(range(len(choices)), [plain(_short(choice)) for choice in choices])
        axes.set_xlim(-0.5, len(choices) - 0.5)
    elif parameter.low is not None and parameter.high is not None:
        _set_range(axes, parameter.low, parameter.high, log=parameter.log)
    axes.set_xlabel(plain(name), fontsize=9)


def _choices(parameter: Parameter) -> list[Any]:
    if parameter.type == "bool":
        return [False, True]
    return list(parameter.choices or ())


def _short(choice: object) -> str:
    text = str(choice)
    return text if len(text) <= 14 else f"{text[:13]}…"


def _set_range(axes: Axes, low: float, high: float, *, log: bool) -> None:
    """From low to high, with some air at both ends; on a logarithmic axis, with three ticks."""
    if not log:
        air = 0.05 * (high - low)
        axes.set_xlim(low - air, high + air)
        return
    air = (high / low) ** 0.05
    axes.set_xscale("log")
    axes.set_xlim(low / air, high * air)
    ticks = [low, math.sqrt(low * high), high]
    axes.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
    axes.set_xticks([], minor=True)
