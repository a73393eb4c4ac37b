"""What the command lines of this package share: a verb is run, and an error told in one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from pydantic import ValidationError

BAD_INPUT = 2


def run(parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None) -> int:
    """Runs the verb that arguments name, and returns its exit code.

    Args:
        parser: sets `run` for each verb: a function of its other arguments, by name.
        arguments: without the program's name; left out, those of the process.
    """
    told = vars(parser.parse_args(arguments))
    verb: Callable[..., int] = told.pop("run")
    try:
        return verb(**told)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
    except (ValueError, OSError) as error:
        message = str(error)
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return BAD_INPUT
