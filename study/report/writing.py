"""Puts a report into files."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import jinja2

from study.files import write_atomically
from study.ledger import Ledger
from study.report.content import Content, Picture, make_content
from study.report.curves import draw_curves
from study.report.drawing import PALETTE
from study.report.escaping import code, markdown, one_line, tex
from study.report.tradeoffs import draw_tradeoffs
from study.results import Results, read_results

MAX_PANELS = 24
"""Pictures of predictions in a report; the others stay in `figures/`."""


def write_report(study_dir: Path) -> Results:
    """Writes `report.html`, `report.md`, `table.tex`, `differences.tex` and `figures/curve-*.png`.

    Everything comes from the ledger and from the pictures in `figures/`, so that a report can be
    made at any time, from a study that still runs too.

    Args:
        study_dir: the study directory.

    Returns:
        What it says in numbers.

    Raises:
        ValueError: it holds no study.
    """
    results = read_results(study_dir)
    figures = study_dir / "figures"
    curves = draw_curves(results, Ledger.open(study_dir).epochs(), figures)
    panels = [
        Picture(path=path, caption=path.stem.removeprefix("panel-"))
        for path in sorted(figures.glob("panel-*.png"))[:MAX_PANELS]
    ]
    content = make_content(results, curves, panels, draw_tradeoffs(results, figures))
    colours = {arm: PALETTE[i % len(PALETTE)] for i, arm in enumerate(results.space.arms)}
    for template, name in (
        ("report.html.j2", "report.html"),
        ("report.md.j2", "report.md"),
        ("table.tex.j2", "table.tex"),
        ("differences.tex.j2", "differences.tex"),
    ):
        write_atomically(study_dir / name, _render(template, content, colours))
    return results


def _render(template: str, content: Content, colours: dict[str, str]) -> str:
    """A template filled with a content; only HTML is escaped by the engine."""
    is_html = template.endswith(".html.j2")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("study", "report"),
        autoescape=is_html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="((*",
        comment_end_string="*))",
    )
    filters: dict[str, Any] = {
        "md": markdown, "code": code, "tex": tex, "one_line": one_line, "inline": _inline,
    }  # fmt: skip
    environment.filters.update(filters)
    return environment.get_template(template).render(c=content, colours=colours)


def _inline(picture: Picture) -> str:
    """A picture as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(picture.path.read_bytes()).decode()}"
