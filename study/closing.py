"""What a study says when it ends: a table of the arms, and where to look next."""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from rich.cells import cell_len
from rich.console import Group, JustifyMethod, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from study.report.answer import answer
from study.report.arm_table import num_seeds_of
from study.report.numbers import interval, mean_and_std, p_value, signed
from study.results import Comparison, Results
from study.tracking.server import tracking_uri, without_passwords
from study.trainable import higher_is_better
from study.words import trial_noun

HEADINGS = ("arm", "value", "difference", "95 % interval", "p (Holm)")


def render(results: Results, study_dir: Path) -> RenderableType:
    """The end of a study, for the terminal.

    Args:
        results: what it found.
        study_dir: where it lies.
    """
    return Group(
        Text(),
        arms_tables(results),
        Text(),
        Text(answer(results), style="bold"),
        Text(),
        *(Text(line, no_wrap=True, overflow="ignore") for line in _paths(study_dir)),
    )


def arms_tables(results: Results) -> RenderableType:
    """A table a metric: mean and spread over seeds, and the paired difference to the reference.

    The metric stands above its table, so that there is room for its name on any screen.
    """
    num_seeds = num_seeds_of(results)
    over = f"mean ± standard deviation over {num_seeds} seeds"
    alone = f"one {trial_noun(results.space.kind)} each"
    title = f"{results.space.study}: the arms, {over if num_seeds > 1 else alone}"
    rows = {m: found for m in results.metrics() if (found := arms_rows(results, m))}
    every_row = [HEADINGS, *(row for own in rows.values() for row in own)]
    widths = [max(map(cell_len, column)) for column in zip(*every_row, strict=True)]
    parts: list[RenderableType] = [Text(title, style="italic")]
    for metric, own in rows.items():
        order = "higher" if higher_is_better(metric) else "lower"
        parts += [Text(), Text(f"{metric} ({order} is better)", style="bold"), _table(own, widths)]
    return Group(*parts)


def _table(rows: list[tuple[str, ...]], widths: list[int]) -> Table:
    table = Table(box=None, padding=(0, 0, 0, 2), header_style="dim")
    num_columns = len(HEADINGS) if any(any(row[2:]) for row in rows) else 2
    for index, (heading, width) in enumerate(zip(HEADINGS, widths, strict=True)):
        if index < num_columns:
            justify: JustifyMethod = "right" if index else "left"
            table.add_column(heading, width=width, justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row[:num_columns]))
    return table


def arms_rows(results: Results, metric: str) -> list[tuple[str, ...]]:
    """Each arm that has a value in a metric."""
    compared = {c.arm: c for c in results.comparisons if c.metric == metric}
    means = {arm: results.summaries[arm][metric] for arm in results.space.arms}
    return [
        (arm, mean_and_std(summary), *_difference(compared.get(arm)))
        for arm, summary in means.items()
        if not math.isnan(summary.mean)
    ]


def _difference(comparison: Comparison | None) -> tuple[str, str, str]:
    if comparison is None:
        return "", "", ""
    found = comparison.difference
    return signed(found.mean), interval(found.low, found.high), p_value(comparison.p_adjusted)


def _paths(study_dir: Path) -> list[str]:
    tracking = without_passwords(tracking_uri())
    lines = ["What to look at next:"]
    for name, what in (
        ("report.html", "the report, with curves and pictures"),
        ("report.md", "the same as text"),
        ("table.tex", "the table for a paper"),
        ("differences.tex", "the differences for a paper"),
        ("figures", "pictures of predicted depth and instances, learning curves"),
        ("trials.parquet", "a row a trial: its settings and what it reached"),
    ):
        if (study_dir / name).exists():
            lines.append(f"  {study_dir / name}  {what}")
    if tracking.startswith(("http://", "https://")):
        return [*lines, f"  {tracking}  every trial in the MLflow UI"]
    command = f"mlflow ui --backend-store-uri {shlex.quote(tracking)}"
    return [*lines, f"  {command}  every trial in the MLflow UI, at http://localhost:5000"]
