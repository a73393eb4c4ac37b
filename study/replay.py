"""`python -m study.replay <trial_key or MLflow run>`: runs a trial again, and compares.

Heavy imports wait until something is run.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from study.command_line import BAD_INPUT as BAD_INPUT
from study.command_line import command_parser, console, refuse

if TYPE_CHECKING:
    from rich.console import Console

    from study.recorded import Recorded
    from study.trainable import Trainable

AGREES, DIFFERS = 0, 1
_DESCRIPTION = """\
Runs a trial again from its record alone, in this process, and compares every metric of every
epoch. Nothing is written to its study. The exit code is 0 if all agree, 1 if not, 2 if it cannot
be run.
"""
_EXAMPLES = """\
examples:
  python -m study.replay confirm-mt-equal-seed1 --study studies/weighting-20250131-120000
  python -m study.replay confirm-mt-equal-seed1
      of the one study below studies/ that has such a trial
  python -m study.replay 0123456789abcdef0123456789abcdef
      by its run in MLflow, which is enough where the study directory is gone
  python -m study.replay confirm-mt-equal-seed1 --tolerance 1e-4
      on another machine, or with other versions
"""


def parser(prog: str = "python -m study.replay") -> argparse.ArgumentParser:
    """The arguments."""
    made = command_parser(prog, _DESCRIPTION, _EXAMPLES)
    made.add_argument("trial", metavar="TRIAL", help="trial_key, or MLflow's name of a run")
    made.add_argument("--study", metavar="DIR", type=Path, help="the trial's study directory")
    made.add_argument(
        "--test",
        action="store_true",
        help="compare the metrics of the test split too, if the record says that it was opened",
    )
    made.add_argument(
        "--tolerance",
        metavar="X",
        type=_tolerance,
        default=0.0,
        help="how far values may lie apart and still agree (0: to the last digit)",
    )
    return made


def _tolerance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number from 0, found {text!r}")
    return value


def main(
    arguments: Sequence[str] | None = None,
    trainable: Trainable | None = None,
    prog: str = "python -m study.replay",
) -> int:
    """Runs the command line, and returns its exit code.

    Args:
        arguments: without the program's name; left out, those of the process.
        trainable: what is trained; left out, what the study is about.
        prog: the program, as its help names it.
    """
    options = parser(prog).parse_args(arguments)
    try:
        return _replay(options, trainable, console())
    except ValueError as error:
        return refuse(error)


def _replay(options: argparse.Namespace, trainable: Trainable | None, screen: Console) -> int:
    from study.agreement import compare, same_end, what_differs
    from study.agreement_table import ends, table, verdict, why
    from study.manifest import surroundings
    from study.replaying import replay

    recorded = _find(options.trial, options.study)
    told = len(recorded.epochs)
    where = recorded.directory or "MLflow alone, as its study directory is gone"
    whose = f"Trial {recorded.trial_key}, {recorded.status}, of {where}"
    screen.print(Text(whose), soft_wrap=True)  # a path is one word, however long
    found = replay(
        recorded,
        trainable,
        tests=options.test,
        on_epoch=lambda epoch: screen.print(Text(f"Epoch {epoch} of {told}")),
    )
    rows = compare(recorded, found)
    screen.print(table(rows, options.tolerance), crop=False)
    if recorded.test is not None and not options.test:
        screen.print(Text("The test split was left alone; --test compares it too."))
    agrees = same_end(recorded, found) and all(row.agrees(options.tolerance) for row in rows)
    reasons = list(what_differs(recorded, found, surroundings()))
    for line in (*ends(recorded, found), verdict(rows, agrees, options.tolerance)):
        screen.print(Text(line), soft_wrap=True)
    for line in why(reasons, agrees):
        screen.print(Text(line), soft_wrap=True)
    return AGREES if agrees else DIFFERS


def _find(trial: str, study: Path | None) -> Recorded:
    from study.recorded import recorded_in, study_with
    from study.tracked_runs import is_run_id, recorded_run

    if is_run_id(trial):
        return recorded_run(trial, study)
    return recorded_in(study or study_with(trial), trial)


if __name__ == "__main__":
    sys.exit(main())
