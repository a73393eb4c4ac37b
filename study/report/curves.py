"""Learning curves by arm, as pictures."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.files import write_atomically
from study.report.content import Picture
from study.results import Results

if TYPE_CHECKING:
    import pandas as pd

PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D00",
)  # fmt: skip
"""Okabe and Ito's colours for all kinds of colour vision, yellow darkened for white paper."""
_LINES = ("-", "--", "-.", ":")
_MARKERS = "osD^vPX*"


def arm_style(results: Results, arm: str) -> dict[str, Any]:
    """Colour, line and marker of an arm, the same in every figure of a study."""
    index = list(results.space.arms).index(arm)
    return {
        "color": PALETTE[index % len(PALETTE)],
        "linestyle": _LINES[(index // len(PALETTE)) % len(_LINES)],
        "marker": _MARKERS[index % len(_MARKERS)],
    }


def draw_curves(results: Results, epochs: pd.DataFrame, directory: Path) -> list[Picture]:
    """Draws one PNG for each metric that has values over epochs.

    Args:
        results: the study.
        epochs: the ledger's epochs, a row a trial, epoch and metric.
        directory: where the files go.
    """
    phase = "confirm" if (epochs["phase"] == "confirm").any() else "search"
    own = epochs[epochs["phase"] == phase]
    pictures = []
    for metric in _metrics(results, own):
        rows = own[own["metric"] == metric].dropna(subset=["value"])
        if rows.empty:
            continue
        path = directory / f"curve-{re.sub(r'[^A-Za-z0-9_]+', '-', metric)}.png"
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
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6.4, 3.8), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for arm in results.space.arms:
        grouped = rows[rows["arm"] == arm].groupby("epoch")["value"]
        table = grouped.agg(["mean", "min", "max"])
        if table.empty:
            continue
        style = arm_style(results, arm)
        x = table.index.to_numpy()
        axes.plot(x, table["mean"], label=_plain(arm), markersize=4.5, linewidth=1.8, **style)
        axes.fill_between(x, table["min"], table["max"], color=style["color"], alpha=0.13, lw=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel(_plain(metric))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _plain(text: str) -> str:
    """Text without what matplotlib would take for mathematics, or for no label at all."""
    return " " + text.replace("$", r"\$") if text.startswith("_") else text.replace("$", r"\$")
