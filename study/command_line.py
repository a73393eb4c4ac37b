"""What all command lines share: how they take arguments, refuse, and print."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

BAD_INPUT = 2
MIN_WIDTH = 110
"""Columns of what is printed where no terminal says how many there are."""


def command_parser(
    prog: str, description: str, epilog: str | None = None
) -> argparse.ArgumentParser:
    """A command line without arguments yet; its texts are shown as they are written."""
    return argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def directory_parser(
    prog: str, description: str, epilog: str | None = None
) -> argparse.ArgumentParser:
    """The arguments of a command that is about one study directory."""
    made = command_parser(prog, description, epilog)
    made.add_argument("study_dir", metavar="DIR", help="a study directory")
    return made


def refuse(error: Exception | str, code: int = BAD_INPUT) -> int:
    """Tells an error in a line, or in one for each thing that it lists; gives the exit code."""
    lines = (" ".join(line.split()) for line in str(error).splitlines())
    print("error: " + "\n  ".join(line for line in lines if line), file=sys.stderr)
    return code


def console() -> Console:
    """Where results are printed: as wide as the terminal, or wide enough for a table."""
    from rich.console import Console

    made = Console(highlight=False)
    if not made.is_terminal:
        made.width = max(made.width, MIN_WIDTH)
    return made
