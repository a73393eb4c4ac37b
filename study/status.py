"""`study status DIR`: how far a study is, under way or not."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from study.command_line import console, directory_parser, refuse

if TYPE_CHECKING:
    from study.state import StudyState


def main(arguments: Sequence[str] | None = None, prog: str = "study status") -> int:
    """Runs the command line, and returns its exit code."""
    parser = directory_parser(
        prog, "Says how far a study is: one that runs in another process, or one that does not."
    )
    parser.add_argument("--json", action="store_true", help="the same for a program")
    options = parser.parse_args(arguments)
    from study.state import read_state

    try:
        state = read_state(Path(options.study_dir))
    except ValueError as error:
        return refuse(error)
    if options.json:
        print(json.dumps(asdict(state), indent=2))
        return 0
    console().print(render(state), crop=False)
    return 0


def render(state: StudyState) -> RenderableType:
    """The state of a study, for the terminal."""
    parts: list[RenderableType] = [Text(line) for line in _lines(state)]
    parts += [Text(), _arms(state)]
    if state.best:
        parts += [Text(), Text("Best so far, on the validation split:"), _best(state)]
    return Group(*parts)


def _lines(state: StudyState) -> Iterator[str]:
    from study.progress import duration
    from study.words import counted

    yield f"Study {state.study}: {state.question}"
    yield {
        "running": f"Under way since {state.started}: a process holds {state.directory}",
        "interrupted": "Interrupted: no process runs it. To go on: "
        f"python -m study resume {shlex.quote(state.directory)}",
        "ended": f"Ended {state.ended}",
    }[state.state]
    begun = "running" if state.has_driver else "cut off"
    failed = f", {state.num_failed} of them failed" if state.num_failed else ""
    running = f", {state.num_running} {begun}" if state.num_running else ""
    yield (
        f"{state.num_ended} of {counted(state.num_planned, 'trial')} ended{failed}{running}; "
        f"{counted(state.num_epochs, 'epoch')} of {state.max_epochs} at most, in "
        f"{duration(state.seconds)} of trials"
    )
    if state.test_opened is None:
        yield "The test split has not been opened."
    else:
        judged = counted(state.num_judged, "model")
        yield f"The test split was opened {state.test_opened}; {judged} judged"


def _arms(state: StudyState) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    running = "running" if state.has_driver else "cut off"
    for heading in ("arm", "phase"):
        table.add_column(heading, overflow="fold")
    for heading in ("planned", "completed", "stopped early", "failed", running, "epochs"):
        table.add_column(heading, justify="right")
    for arm in state.arms:
        counts = (arm.num_planned, arm.num_completed, arm.num_pruned, arm.num_failed)
        numbers = (*counts, arm.num_running, arm.num_epochs)
        table.add_row(escape(arm.arm), arm.phase, *map(str, numbers))
    return table


def _best(state: StudyState) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("arm", "trial", "metric", "value", "epochs"):
        justify = "right" if heading in ("value", "epochs") else "left"
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for best in state.best:
        cells = (best.arm, best.trial_key, best.metric)
        table.add_row(*map(escape, cells), f"{best.value:.4g}", str(best.num_epochs))
    return table


if __name__ == "__main__":
    sys.exit(main())
