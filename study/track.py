"""`study track DIR`: brings MLflow up to a study, again or anew, and looks it over."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None, prog: str = "python -m study.track") -> int:
    """Runs the command line, and returns its exit code.

    Args:
        arguments: without the program's name; left out, those of the process.
        prog: the program, as its help names it.
    """
    from study.command_line import directory_parser, refuse

    directory = directory_parser(
        prog,
        "Brings MLflow up to what the directory of a study holds that is not under way, and "
        "compares\nevery value: a run a training. Where all is there already, nothing changes.",
    ).parse_args(arguments)
    from study.tracking.repair import track
    from study.tracking.server import tracking_uri, without_passwords

    try:
        found = track(Path(directory.study_dir))
    except ValueError as error:
        return refuse(error)
    checked = f"{found.num_runs} runs, {found.num_values} values checked"
    place = without_passwords(tracking_uri())
    print(f"{directory.study_dir}: up to date at {place}: {checked}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
