"""Learning curves by arm, as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from study.files import write_atomically
from study.report.content import Picture
from study.report.drawing import arm_style, as_png, file_name, new_axes, plain
from study.results import Results

if TYPE_CHECKING:
    import pandas as pd


def draw_curves(results: Results, epochs: pd.DataFrame, directory: Path) -> list[Picture]:
    """Draws one PNG for each metric that has values over epochs.

    Args:
        results: the study.
        epochs: the ledger's epochs, a row a trial, epoch and metric; one epoch is no curve.
        directory: where the files go.
    """
    if results.space.kind == "clustering":
        return []
    phase = "confirm" if (epochs["phase"] == "confirm").any() else "search"
    own = epochs[epochs["phase"] == phase]
    pictures = []
    for metric in _metrics(results, own):
        rows = own[own["metric"] == metric].dropna(subset=["value"])
        if rows.empty:
            continue
        path = directory / f"curve-{file_name(metric)}.png"
        write_atomically(path, _draw(results, rows, metric))
        what = "over confirmed seeds" if phase == "confirm" else "over the trials of the search"
        caption = f"{metric} by epoch: mean {what}, smallest to largest shaded"
        pictures.append(Picture(path=path, caption=caption))
    return pictures


def _metrics(results: Results, epochs: pd.DataFrame) -> list[str]:
    """What arms were tuned for, what is compared as it was on validation, then loss weights."""
    compared = [f"val/{m.split('/', 1)[1]}" for m in results.space.compare.metrics]
    weights = [
        str(metric)
        for metric in epochs["metric"].unique()
        if str(metric).startswith("train/") and str(metric).endswith("/weight")
    ]
    return list(dict.fromkeys([*results.objectives.values(), *compared, *sorted(weights)]))


def _draw(results: Results, rows: pd.DataFrame, metric: str) -> bytes:
    from matplotlib.ticker import MaxNLocator

    figure, axes = new_axes()
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
    axes.set_ylabel(plain(metric))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return as_png(figure)
