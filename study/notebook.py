"""How a notebook shows a study: the arms, planned or as far as they have come."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from study.closing import HEADINGS, arms_rows
from study.plan import make_plan
from study.results import read_results
from study.space import Space
from study.state import read_state


def as_html(space: Space, directory: Path | None) -> str:
    """A heading and a table of the arms.

    Args:
        space: the question.
        directory: the study directory; None where the study has not run.
    """
    head = f"<b>{html.escape(space.study)}</b>: {html.escape(space.question)}"
    if directory is None or not (directory / "space.yaml").exists():
        return f"<p>{head}<br>not run</p>{_planned(space)}"
    state = read_state(directory)
    where = f"{state.state}, {state.num_ended} of {state.num_planned} trials, {state.directory}"
    return f"<p>{head}<br>{html.escape(where)}</p>{_reached(directory)}"


def _planned(space: Space) -> str:
    return _table(
        [
            {
                "arm": arm.name,
                "learns": " + ".join(arm.tasks),
                "search": arm.num_search,
                "confirm": arm.num_confirm,
                "epochs at most": arm.max_epochs,
            }
            for arm in make_plan(space).arms
        ]
    )


def _reached(directory: Path) -> str:
    results = read_results(directory)
    rows = [
        {"metric": metric, **dict(zip(HEADINGS, row, strict=True))}
        for metric in results.metrics()
        for row in arms_rows(results, metric)
    ]
    return _table(rows) if rows else "<p>No arm has a value to show yet.</p>"


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    return str(pd.DataFrame(rows).to_html(index=False, border=0))
