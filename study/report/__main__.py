"""`python -m study.report <study directory>`: writes the report of a study anew."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from study.command_line import directory_parser, refuse
from study.report.writing import FILES, write_report


def main(arguments: Sequence[str] | None = None, prog: str = "python -m study.report") -> int:
    """Runs the command line, and returns its exit code."""
    parser = directory_parser(prog, "Writes the report of a study anew, finished or not.")
    directory = Path(parser.parse_args(arguments).study_dir)
    try:
        write_report(directory)
    except ValueError as error:
        return refuse(error)
    for name in FILES:
        print(directory / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
