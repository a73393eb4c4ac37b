"""`study compare A B`: two studies side by side, for the terminal, as Markdown or as a page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from study.command_line import console, refuse

if TYPE_CHECKING:
    from study.side_by_side import SideBySide

Rows = list[tuple[str, ...]]


def main(arguments: Sequence[str] | None = None, prog: str = "study compare") -> int:
    """Runs the command line, and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Lays two studies side by side: what their spaces say differently, what each "
        "arm reached in both, and the differences, B minus A. Seeds are pairs across studies only "
        "where seeds and data are the same; it says which holds.",
    )
    parser.add_argument("a", metavar="A", type=Path, help="a study directory, finished or not")
    parser.add_argument("b", metavar="B", type=Path, help="another one")
    parser.add_argument("--markdown", action="store_true", help="as Markdown")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="write compare.html there, and its figure"
    )
    options = parser.parse_args(arguments)
    from study.side_by_side import side_by_side

    try:
        found = side_by_side(options.a, options.b)
    except ValueError as error:
        return refuse(error)
    if options.out is not None:
        from study.report.compare_page import write_page

        directories = options.a, options.b
        print(write_page(found, directories, list(_tables(found)), _note(found), options.out))
        return 0
    names = f"A: {options.a}", f"B: {options.b}"
    if options.markdown:
        print("\n".join(_as_markdown(found, names)))
        return 0
    screen = console()
    for line in names:
        screen.print(Text(line), soft_wrap=True)
    for title, headings, rows in _tables(found):
        screen.print(Text(f"\n{title}", style="bold"), soft_wrap=True)
        screen.print(_table(headings, rows), crop=False)
    screen.print(Text(f"\n{_note(found)}"), soft_wrap=True)
    return 0


def _tables(found: SideBySide) -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """Title, headings and rows of each."""
    from study.report.numbers import interval, mean_and_std, signed
    from study.trainable import higher_is_better

    if found.settings:
        rows: Rows = [(name, _said(a), _said(b)) for name, a, b in found.settings]
        yield "What their spaces say differently", ("field", "A", "B"), rows
    for metric in dict.fromkeys(cell.metric for cell in found.cells):
        better = "higher" if higher_is_better(metric) else "lower"
        rows = [
            (
                cell.arm,
                mean_and_std(cell.a),
                str(cell.a.num),
                mean_and_std(cell.b),
                str(cell.b.num),
                signed(cell.difference),
                interval(cell.low, cell.high),
            )
            for cell in found.cells
            if cell.metric == metric
        ]
        headings = ("arm", "A", "n", "B", "n", "B - A", "95 % interval")
        yield f"{metric} ({better} is better)", headings, rows


def _note(found: SideBySide) -> str:
    alone = "Intervals are not corrected for their number, and no claim is made of them."
    same = "" if found.settings else "Their spaces are the same. "
    if not found.cells:
        return f"{same}Neither study has a value to compare yet."
    if found.why_unpaired is None:
        pairs = "Seeds and data are the same, so that differences are taken seed by seed."
        return f"{same}{pairs} {alone}"
    return (
        f"{same}Seeds are not paired across these studies, as {found.why_unpaired}: differences "
        f"are of means of independent samples, and say nothing where the data differ. {alone}"
    )


def _said(value: Any) -> str:
    return "—" if value is None else str(value)


def _table(headings: tuple[str, ...], rows: Rows) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    numbers = len(headings) > 3
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index and numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _as_markdown(found: SideBySide, names: tuple[str, str]) -> Iterator[str]:
    from study.report.escaping import markdown

    yield from (f"- {markdown(name)}" for name in names)
    for title, headings, rows in _tables(found):
        yield f"\n## {markdown(title)}\n"
        yield f"| {' | '.join(headings)} |"
        align = ["---", *(["---:" if len(headings) > 3 else "---"] * (len(headings) - 1))]
        yield f"| {' | '.join(align)} |"
        yield from (f"| {' | '.join(map(markdown, row))} |" for row in rows)
    yield f"\n{_note(found)}"


if __name__ == "__main__":
    sys.exit(main())
