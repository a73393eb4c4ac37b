"""What all figures of a report share: colours of arms, axes, files."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from study.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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


def new_axes() -> tuple[Figure, Axes]:
    """A figure with one pair of axes; nothing of matplotlib's global state is touched."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.8), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def as_png(figure: Figure) -> bytes:
    """The figure with its legend below, as a file."""
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def file_name(metric: str) -> str:
    """A metric's name as a part of a file's."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", metric)


def plain(text: str) -> str:
    """Text without what matplotlib would take for mathematics, or for no label at all."""
    return " " + text.replace("$", r"\$") if text.startswith("_") else text.replace("$", r"\$")
