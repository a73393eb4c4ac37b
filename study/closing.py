"""What a study says when it ends: a table of the arms, and where to look next."""

from __future__ import annotations

import math
import os
import shlex
from pathlib import Path

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from study.report.answer import answer
from study.report.numbers import interval, mean_and_std, p_value, signed
from study.results import Comparison, Results, read_results
from study.trainable import higher_is_better


def render(study_dir: Path) -> RenderableType:
    """The end of a study, for the terminal."""
    results = read_results(study_dir)
    return Group(
        Text(),
        arms_table(results),
        Text(),
        Text(answer(results), style="bold"),
        Text(),
        *(Text(line) for line in _paths(study_dir)),
    )


def arms_table(results: Results) -> Table:
    """Arms by metric: mean and spread over seeds, and the paired difference to the reference."""
    num_seeds = len(results.space.confirm.seeds)
    table = Table(
        title=f"{results.space.study}: the arms, mean ± standard deviation over {num_seeds} seeds",
        title_justify="left",
    )
    for heading in ("metric", "arm"):
        table.add_column(heading, overflow="fold")
    for heading in ("value", "difference", "95 % interval", "p (Holm)"):
        table.add_column(heading, justify="right")
    compared = {(c.arm, c.metric): c for c in results.comparisons}
    for metric in results.metrics():
        heading = f"{metric} ({'higher' if higher_is_better(metric) else 'lower'} is better)"
        for arm in results.space.arms:
            summary = results.summaries[arm][metric]
            if math.isnan(summary.mean):
                continue
            cells = [arm, mean_and_std(summary), *_difference(compared.get((arm, metric)))]
            table.add_row(*map(escape, (heading, *cells)))
            heading = ""
        table.add_section()
    return table


def _difference(comparison: Comparison | None) -> tuple[str, str, str]:
    if comparison is None:
        return "", "", ""
    found = comparison.difference
    return signed(found.mean), interval(found.low, found.high), p_value(comparison.p_adjusted)


def _paths(study_dir: Path) -> list[str]:
    tracking = os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    lines = ["What to look at next:"]
    for name, what in (
        ("report.html", "the report, with curves and pictures"),
        ("report.md", "the same as text"),
        ("table.tex", "the table for a paper"),
        ("figures", "pictures of predicted depth and instances, learning curves"),
        ("trials.parquet", "a row a training: its settings and what it reached"),
    ):
        if (study_dir / name).exists():
            lines.append(f"  {study_dir / name}  {what}")
    if tracking.startswith(("http://", "https://")):
        return [*lines, f"  {tracking}  every training in the MLflow UI"]
    command = f"mlflow ui --backend-store-uri {shlex.quote(tracking)}"
    return [*lines, f"  {command}  every training in the MLflow UI, at http://localhost:5000"]
