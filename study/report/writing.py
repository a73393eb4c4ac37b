"""Puts a report into files."""

from __future__ import annotations

from pathlib import Path

from study.files import write_atomically
from study.ledger import Ledger
from study.report.content import Content, Figures, make_content
from study.report.curves import draw_curves, draw_weights
from study.report.drawing import PALETTE
from study.report.forest import draw_forest
from study.report.pictures import draw_pictures
from study.report.searches import draw_searches
from study.report.templates import render
from study.report.tradeoffs import draw_tradeoffs
from study.report.two_tasks import draw_two_tasks
from study.results import Results, read_results

FILES = ("report.html", "report.md", "table.tex", "differences.tex")


def write_report(study_dir: Path) -> Results:
    """Writes `report.html`, `report.md`, `table.tex`, `differences.tex` and `figures/`.

    Everything comes from the ledger and from `shown/`, so that a report can be made at any
    time, from a study that still runs too.

    Args:
        study_dir: the study directory.

    Returns:
        What it says in numbers.

    Raises:
        ValueError: it holds no study.
    """
    results = read_results(study_dir)
    content: Content = make_content(results, _draw(results, study_dir))
    colours = {arm: PALETTE[i % len(PALETTE)] for i, arm in enumerate(results.space.arms)}
    for name in FILES:
        write_atomically(study_dir / name, render(f"{name}.j2", c=content, colours=colours))
    return results


def _draw(results: Results, study_dir: Path) -> Figures:
    directory = study_dir / "figures"
    epochs = Ledger.open(study_dir).epochs()
    return Figures(
        differences=draw_forest(results, directory),
        two_tasks=draw_two_tasks(results, directory),
        tradeoffs=draw_tradeoffs(results, directory),
        images=draw_pictures(results, study_dir),
        curves=draw_curves(results, epochs, directory),
        weights=draw_weights(results, epochs, directory),
        searches=draw_searches(results, directory),
    )
