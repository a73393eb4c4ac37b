"""`python -m study.run`: the command line of a study.

Heavy imports wait until a study is run.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from study.command_line import BAD_INPUT as BAD_INPUT
from study.command_line import command_parser, console, refuse

if TYPE_CHECKING:
    from study.space import Space

FAILED = 1
INTERRUPTED = 130
_DESCRIPTION = """\
Runs a study: a question written as a YAML file, answered by training each of its arms several
times. It searches good settings for every arm on the validation split, trains the best again with
fresh seeds, and compares those on the test split. Tables, pictures and a report end up in a
directory of the study.
"""
_EXAMPLES = """\
examples:
  python -m study.run --space weighting.yaml --plan
      says what would run: arms, trainings, epochs
  python -m study.run --space weighting.yaml --set search.trials_per_arm=2 --set base.epochs=1
      a quick look
  python -m study.run --space weighting.yaml --set base.data.name=kitti \\
      --set base.data.root=path/to/kitti --set base.data.split=sample
      the same question on real images
  python -m study.run --resume studies/weighting-20250131-120000
      goes on with a study that was interrupted
  python -m study.run --resume studies/weighting-20250131-120000 --extend \\
      --set "confirm.seeds=[1,2,3,4,5]"
      trains each arm with two more seeds, and compares again
"""


def parser(prog: str = "python -m study.run") -> argparse.ArgumentParser:
    """The arguments."""
    made = command_parser(prog, _DESCRIPTION, _EXAMPLES)
    made.add_argument(
        "--space",
        metavar="FILE",
        help="the study: a YAML file, or the name of one that ships, such as weighting.yaml",
    )
    made.add_argument("named", metavar="SPACE", nargs="?", help="the same as --space SPACE")
    made.add_argument(
        "--resume",
        metavar="DIR",
        type=Path,
        help="go on with the study in this directory; with --space, if it is that study",
    )
    made.add_argument(
        "--extend",
        action="store_true",
        help="with --resume and --space or --set: more confirm.seeds, a larger "
        "search.trials_per_arm or new arms; what was trained and tested stays",
    )
    made.add_argument(
        "--set",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="say any field of the space anew, by dotted name; the value is YAML; null takes an "
        "arm or a searched parameter out (repeatable)",
    )
    made.add_argument("--plan", action="store_true", help="say what would run, and run nothing")
    made.add_argument(
        "--calibrate",
        action="store_true",
        help="train a few steps of each arm first: with --plan, says hours, disk and memory; on a "
        "run, the report sets them against what it came to",
    )
    made.add_argument(
        "--out", metavar="DIR", type=Path, help="study directory (studies/<name>-<time>)"
    )
    made.add_argument(
        "--storage",
        metavar="URL",
        help="where the epoch checkpoints of trials go, s3://BUCKET/PREFIX of an S3-compatible "
        "store (the study directory); kept models go to the study directory all the same",
    )
    made.add_argument("--address", metavar="HOST:PORT", help="Ray cluster to run on (this machine)")
    made.add_argument(
        "--concurrency",
        metavar="N",
        type=_count,
        help="trainings at once (as many as the machine has room for)",
    )
    return made


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


def main(arguments: Sequence[str] | None = None, prog: str = "python -m study.run") -> int:
    """Runs the command line, and returns its exit code.

    Args:
        arguments: without the program's name; left out, those of the process.
        prog: the program, as its help names it.
    """
    options = parser(prog).parse_args(arguments)
    if options.named and (options.space or options.resume):
        parser(prog).error(f"SPACE is for a new study alone, found {options.named} and another")
    options.space = options.space or options.named
    if not (options.space or options.resume):
        parser(prog).error("expected --space FILE or --resume DIR")
    if options.extend and not options.resume:
        parser(prog).error("--extend goes with --resume DIR")
    from study.space_loading import load_space

    try:
        if options.resume:
            return _resume(options)
        try:
            space = load_space(options.space, options.overrides)
        except ValueError as error:
            return refuse(error)
        if options.plan:
            return _tell_plan(space, options)
        return _run_and_tell(options, space, options.out or new_directory(space.study))
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED


def new_directory(study: str) -> Path:
    """Where a study goes that begins now, and is not told where."""
    return Path("studies", f"{study}-{datetime.now().strftime('%Y%m%d-%H%M%S')}")


def _tell_plan(space: Space, options: argparse.Namespace) -> int:
    from study import plan

    screen = console()
    screen.print(plan.render(plan.make_plan(space)))
    if not options.calibrate:
        return 0
    from study import cost_words, runner

    settings = runner.Settings(address=options.address, concurrency=options.concurrency)
    try:
        cost = runner.plan_study(space, settings)
    except ValueError as error:
        return refuse(error)
    screen.print(cost_words.render_cost(cost))
    return 0


def _resume(options: argparse.Namespace) -> int:
    is_compared = options.space or options.extend
    given = {
        "--set": [] if is_compared else options.overrides,
        "--plan": options.plan,
        "--calibrate": options.calibrate,
        "--out": options.out,
        "--storage": options.storage,
    }
    for name, value in given.items():
        if value:
            problem = f"{name} does not go with --resume: a study goes on as it was started"
            return refuse(problem)
    if is_compared:
        from study import runner
        from study.space_loading import load_space

        try:
            runner.check_study(options.resume)
            file = options.space or options.resume / "space.yaml"
            space = load_space(file, options.overrides)
            runner.take_space(options.resume, space, extends=options.extend)
        except ValueError as error:
            return refuse(error)
    return _run_and_tell(options, None, options.resume)


def _run_and_tell(options: argparse.Namespace, space: Space | None, directory: Path) -> int:
    """Runs or resumes the study in a directory, and says what came of it."""
    from study import closing, runner, standstill

    settings = runner.Settings(
        address=options.address,
        concurrency=options.concurrency,
        storage=options.storage,
        calibrates=options.calibrate,
        tells=lambda found: console().print(closing.render(found, directory), crop=False),
    )
    try:
        if space is None:
            runner.resume_study(directory, settings)
        else:
            runner.run_study(space, directory, settings)
    except KeyboardInterrupt:
        print(_how_to_go_on(directory), file=sys.stderr)
        return INTERRUPTED
    except (runner.StudyFailed, standstill.Standstill) as error:
        return refuse(error, FAILED)
    except ValueError as error:
        return refuse(error)
    return 0


def _how_to_go_on(directory: Path) -> str:
    if not (directory / "space.yaml").exists():
        return "\nInterrupted before any training had started."
    return (
        "\nInterrupted. No epoch that was reported is lost; to go on:\n"
        f"  python -m study.run --resume {shlex.quote(str(directory))}"
    )


if __name__ == "__main__":
    sys.exit(main())
