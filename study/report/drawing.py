"""What all figures of a report share: colours of arms, axes, fonts, files."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.files import write_atomically
from study.report.escaping import one_line
from study.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D00",
)  # fmt: skip
"""Okabe and Ito's colours for all kinds of colour vision, yellow darkened for white paper."""
INK, FAINT = "#3d444d", "#8b949e"
DPI = 160
MAX_LETTERS = 44
"""Of a name in a figure; the rest is left out."""
_LINES = ("-", "--", "-.", ":")
_MARKERS = "osD^vPX*"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image file in `figures/`, and what it shows."""

    path: Path
    caption: str
    is_wide: bool = False
    """Whether it takes the whole width of a page, and is scrolled on a narrow screen."""


def arm_style(results: Results, arm: str) -> dict[str, Any]:
    """Colour, line and marker of an arm, the same in every figure of a study."""
    index = list(results.space.arms).index(arm)
    return {
        "color": PALETTE[index % len(PALETTE)],
        "linestyle": _LINES[(index // len(PALETTE)) % len(_LINES)],
        "marker": _MARKERS[index % len(_MARKERS)],
    }


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches; nothing of matplotlib's global state is touched."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_axes() -> tuple[Figure, Axes]:
    """A figure with one pair of axes."""
    figure = new_figure(6.4, 3.8)
    return figure, plain_axes(figure.add_subplot())


def grid_of_axes(num: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A figure with so many pairs of axes, row by row; each has this size, in inches."""
    columns = min(columns, num)
    rows = -(-num // columns)
    figure = new_figure(width * columns, height * rows)
    return figure, [
        plain_axes(figure.add_subplot(rows, columns, index + 1)) for index in range(num)
    ]


def plain_axes(axes: Axes) -> Axes:
    """The axes with a faint grid and no frame."""
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8.5, colors=INK)
    return axes


def legend_below(figure: Figure, axes: Iterable[Axes], columns: int = 3) -> None:
    """One legend for all axes, each label once."""
    found: dict[str, Any] = {}
    for one in axes:
        for handle, label in zip(*one.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        figure.legend(
            found.values(), found.keys(),
            loc="outside lower center", ncols=columns, frameon=False, fontsize=9,
        )  # fmt: skip


def save(figure: Figure, path: Path) -> None:
    """Writes the figure as PNG, and beside it as PDF; drawn again, both are the same to the byte.

    Args:
        figure: what is drawn.
        path: of the PNG.
    """
    import matplotlib as mpl

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", pil_kwargs={"compress_level": 3})
    write_atomically(path, buffer.getvalue())
    for image in (one for axes in figure.axes for one in axes.images):
        image.set_interpolation("none")  # a PDF holds pictures as they are
    buffer = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}):  # TrueType: publishers refuse matplotlib's own
        figure.savefig(buffer, format="pdf", metadata={"CreationDate": None})
    write_atomically(path.with_suffix(".pdf"), buffer.getvalue())


def file_name(metric: str) -> str:
    """A metric's name as a part of a file's."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", metric)


def plain(text: object) -> str:
    """Text as matplotlib sets it: no mathematics, no hidden label, not too long, and no letter
    that its font lacks, or that runs to the left or into others, which it can't write as PDF.
    """
    line = unicodedata.normalize("NFC", one_line(text))
    line = line if len(line) <= MAX_LETTERS else f"{line[: MAX_LETTERS - 1]}…"
    known = "".join(letter if _can_be_set(letter) else "?" for letter in line)
    return (" " if known.startswith("_") else "") + known.replace("$", r"\$")


def _can_be_set(letter: str) -> bool:
    stands_alone = unicodedata.category(letter) not in ("Cf", "Mn", "Me", "Mc")
    is_rightward = unicodedata.bidirectional(letter) not in ("R", "AL", "AN")
    return stands_alone and is_rightward and ord(letter) in _letters()


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    """Code points that the font of figures has."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())
