"""`python -m study.report <study directory>`: writes the report of a study anew."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from study.report.writing import FILES, write_report


def main(arguments: Sequence[str] | None = None, prog: str = "python -m study.report") -> int:
    """Runs the command line, and returns its exit code."""
    parser = argparse.ArgumentParser(prog=prog, description="Writes the report of a study anew.")
    parser.add_argument("study_dir", type=Path, help="a study directory, finished or not")
    directory = parser.parse_args(arguments).study_dir
    try:
        write_report(directory)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name in FILES:
        print(directory / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
