"""Verbs that other command lines do as they are: run, plan, resume, report and replay."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from study import run as study_run
from study.command_line import directory_parser


def run(arguments: Sequence[str], prog: str = "study run") -> int:
    """`study run SPACE ...`: see `study.run`."""
    return study_run.main(arguments, prog)


def plan(arguments: Sequence[str], prog: str = "study plan") -> int:
    """`study plan SPACE ...`: the same with `--plan`."""
    return study_run.main([*arguments, "--plan"], prog)


def resume(arguments: Sequence[str], prog: str = "study resume") -> int:
    """`study resume DIR ...`: the same as `--resume DIR`."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Goes on with a study that was interrupted, stopped or killed, as if it had "
        "not been: no epoch that was reported is trained again.",
    )
    parser.add_argument("study_dir", metavar="DIR", help="its study directory")
    parser.add_argument(
        "rest",
        metavar="...",
        nargs=argparse.REMAINDER,
        help="options of a run that change no number: --address HOST:PORT, --concurrency N",
    )
    options = parser.parse_args(arguments)
    return study_run.main(["--resume", options.study_dir, *options.rest], prog)


def report(arguments: Sequence[str], prog: str = "study report") -> int:
    """`study report DIR`: see `study.report`, which is heavy."""
    directory_parser(
        prog,
        "Writes the report of a study anew, finished or not: report.html, report.md, table.tex and "
        "differences.tex.",
    ).parse_args(arguments)
    from study.report.__main__ import main

    return main(arguments, prog)


def replay(arguments: Sequence[str], prog: str = "study replay") -> int:
    """`study replay TRIAL ...`: see `study.replay`."""
    from study.replay import main

    return main(arguments, prog=prog)
