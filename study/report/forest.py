"""Differences between arms with their intervals, as one picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from study.report.drawing import INK, Picture, arm_style, grid_of_axes, plain, save
from study.results import Comparison, Results
from study.trainable import higher_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_forest(results: Results, directory: Path) -> list[Picture]:
    """Draws one figure of all comparisons, a pair of axes a metric; none where none is made.

    Args:
        results: the study.
        directory: where the files go.
    """
    by_metric: dict[str, list[Comparison]] = {}
    for comparison in results.comparisons:
        by_metric.setdefault(comparison.metric, []).append(comparison)
    if not by_metric:
        return []
    arms = [arm for arm in results.space.arms if any(c.arm == arm for c in results.comparisons)]
    figure, every = grid_of_axes(len(by_metric), 3, 3.5, 1.3 + 0.32 * len(arms))
    columns = min(3, len(by_metric))
    for index, (axes, (metric, found)) in enumerate(zip(every, by_metric.items(), strict=True)):
        _draw(results, axes, arms, found)
        title = plain(metric)
        axes.set_title(f"{title}\n{plain(f'minus {found[0].reference}')}", fontsize=9, color=INK)
        axes.set_xlabel("→ better" if higher_is_better(metric) else "better ←", fontsize=9)
        axes.set_yticks(range(len(arms)), [plain(a) for a in arms] if index % columns == 0 else [])
        axes.set_ylim(len(arms) - 0.4, -0.6)
    save(figure, directory / "differences.png")
    return [
        Picture(path=directory / "differences.png", caption=_caption(results), is_wide=columns > 1)
    ]


def _caption(results: Results) -> str:
    held = "images" if results.space.kind == "clustering" else "seeds"
    wide = any(_is_known(*c.new_images.interval) for c in results.comparisons)
    return (
        f"Mean difference of each arm to its reference, and its 95 % interval for new {held}"
        f"{'; the pale bar is the interval for new seeds and new images' if wide else ''}. "
        "A filled mark is a clear difference (p (Holm) at most 0.05), a hollow one is none"
    )


def _draw(results: Results, axes: Axes, arms: list[str], found: list[Comparison]) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.axvline(0, color=INK, lw=1)
    for comparison in found:
        difference, place = comparison.difference, arms.index(comparison.arm)
        style = arm_style(results, comparison.arm)
        color, marker = style["color"], style["marker"]
        ends = comparison.new_images.interval
        if _is_known(*ends):
            axes.plot(ends, [place] * 2, color=color, alpha=0.25, lw=8, solid_capstyle="butt")
        if _is_known(difference.low, difference.high):
            axes.plot([difference.low, difference.high], [place] * 2, color=color, lw=1.8)
        face = color if comparison.claim.verdict == "claim" else "white"
        axes.plot([difference.mean], [place], marker, mec=color, mfc=face, ms=6.5, mew=1.6)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.ticklabel_format(axis="x", scilimits=(-3, 4))


def _is_known(*values: float) -> bool:
    return all(map(math.isfinite, values))
