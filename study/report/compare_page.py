"""Two studies side by side, as a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from study.files import write_atomically
from study.report.drawing import INK, PALETTE, Picture, grid_of_axes, plain, save
from study.report.templates import render
from study.side_by_side import Cell, SideBySide
from study.trainable import higher_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
"""Title, headings and rows."""


def write_page(
    found: SideBySide, directories: tuple[Path, Path], tables: Sequence[Table], note: str, out: Path
) -> Path:
    """Writes `compare.html`, which needs no other file, and its figure into a directory.

    Args:
        found: the studies.
        directories: where they are.
        tables: what the page shows.
        note: how differences are to be read.
        out: the directory; it is made when it is missing.
    """
    studies = [
        (letter, results.space.question, str(path))
        for letter, results, path in zip("AB", (found.a, found.b), directories, strict=True)
    ]
    page = render(
        "compare.html.j2",
        title=f"{found.a.space.study} and {found.b.space.study}, side by side",
        studies=studies,
        note=note,
        figures=_draw(found, out / "figures"),
        tables=tables,
        sections=[(f"table-{n}", title, True) for n, (title, _, _) in enumerate(tables, start=1)],
    )
    write_atomically(out / "compare.html", page)
    return out / "compare.html"


def _draw(found: SideBySide, directory: Path) -> list[Picture]:
    """Differences, B minus A, with their intervals: a pair of axes a metric."""
    known = [cell for cell in found.cells if math.isfinite(cell.difference)]
    if not known:
        return []
    metrics = list(dict.fromkeys(cell.metric for cell in known))
    arms = list(dict.fromkeys(cell.arm for cell in known))
    figure, every = grid_of_axes(len(metrics), 3, 3.5, 1.0 + 0.32 * len(arms))
    for index, (axes, metric) in enumerate(zip(every, metrics, strict=True)):
        axes.axvline(0, color=INK, lw=1)
        for cell in (one for one in known if one.metric == metric):
            _draw_cell(axes, cell, arms.index(cell.arm))
        axes.set_title(plain(metric), fontsize=9, color=INK)
        better = "→ B is better" if higher_is_better(metric) else "B is better ←"
        axes.set_xlabel(better, fontsize=9)
        is_first = index % min(3, len(metrics)) == 0
        axes.set_yticks(range(len(arms)), [plain(arm) for arm in arms] if is_first else [])
        axes.set_ylim(len(arms) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.locator_params(axis="x", nbins=4)
    path = directory / "compare.png"
    save(figure, path)
    caption = "Difference of each arm, B minus A, and its 95 % interval"
    return [Picture(path=path, caption=caption, is_wide=len(metrics) > 1)]


def _draw_cell(axes: Axes, cell: Cell, place: int) -> None:
    color = PALETTE[place % len(PALETTE)]
    if math.isfinite(cell.low) and math.isfinite(cell.high):
        axes.plot([cell.low, cell.high], [place] * 2, color=color, lw=1.8)
    axes.plot([cell.difference], [place], "o", color=color, ms=6.5)
