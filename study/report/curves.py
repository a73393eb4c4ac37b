"""Learning curves by arm, and how the weights of losses went, as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from study.report.drawing import (
    Picture,
    arm_style,
    file_name,
    grid_of_axes,
    legend_below,
    new_axes,
    plain,
    save,
)
from study.results import Results

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def draw_curves(results: Results, epochs: pd.DataFrame, directory: Path) -> list[Picture]:
    """Draws one figure for each metric that has values over epochs.

    Args:
        results: the study.
        epochs: the ledger's epochs, a row a trial, epoch and metric.
        directory: where the files go.
    """
    own, what = _rows(results, epochs)
    pictures = []
    for metric in _metrics(results):
        rows = own[own["metric"] == metric].dropna(subset=["value"])
        if rows.empty:
            continue
        figure, axes = new_axes()
        _draw(results, rows, axes)
        axes.set_ylabel(plain(metric))
        legend_below(figure, [axes])
        path = directory / f"curve-{file_name(metric)}.png"
        save(figure, path)
        pictures.append(Picture(path=path, caption=f"{metric} by epoch: mean {what}"))
    return pictures


def draw_weights(results: Results, epochs: pd.DataFrame, directory: Path) -> list[Picture]:
    """Draws how the weights of all tasks' losses went, as one figure; none where none has any.

    Args:
        results: the study.
        epochs: as `draw_curves` takes them.
        directory: where the files go.
    """
    own, what = _rows(results, epochs)
    own = own[own["metric"].str.match(r"train/.*/weight$")].dropna(subset=["value"])
    metrics = sorted(own["metric"].unique())
    if not metrics:
        return []
    figure, every = grid_of_axes(len(metrics), 3, 4.2, 3.4)
    for metric, axes in zip(metrics, every, strict=True):
        _draw(results, own[own["metric"] == metric], axes)
        task = metric.removeprefix("train/").removesuffix("/weight")
        axes.set_title(plain(f"weight of the loss of {task}"), fontsize=10)
    legend_below(figure, every)
    save(figure, directory / "weights.png")
    caption = (
        f"Weight of each task's loss by epoch: mean {what}. A weight is the mean over the steps "
        "of its epoch; arms that learn a task alone have no say in it"
    )
    return [Picture(path=directory / "weights.png", caption=caption, is_wide=len(metrics) > 1)]


def _rows(results: Results, epochs: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Epochs of confirmed trials, or where there are none yet, of the search; and what they are.

    One epoch is no curve: of clusterings there are none.
    """
    if results.space.kind == "clustering":
        return epochs.iloc[:0], ""
    phase = "confirm" if (epochs["phase"] == "confirm").any() else "search"
    what = "over confirmed seeds" if phase == "confirm" else "over the trials of the search"
    return epochs[epochs["phase"] == phase], f"{what}, smallest to largest shaded"


def _metrics(results: Results) -> list[str]:
    """What arms were tuned for, then what is compared as it was on validation."""
    compared = [f"val/{m.split('/', 1)[1]}" for m in results.space.compare.metrics]
    return list(dict.fromkeys([*results.objectives.values(), *compared]))


def _draw(results: Results, rows: pd.DataFrame, axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    for arm in results.space.arms:
        grouped = rows[rows["arm"] == arm].groupby("epoch")["value"]
        table = grouped.agg(["mean", "min", "max"])
        if table.empty:
            continue
        style = arm_style(results, arm)
        x = table.index.to_numpy()
        axes.plot(x, table["mean"], label=plain(arm), markersize=4.5, linewidth=1.8, **style)
        axes.fill_between(x, table["min"], table["max"], color=style["color"], alpha=0.13, lw=0)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
