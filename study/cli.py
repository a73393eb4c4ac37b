"""`study <verb>`: one door to all that can be done with a study.

Each verb is a thin layer over a function; its module is imported when it is called, not before.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence

from study.command_line import BAD_INPUT as BAD_INPUT
from study.command_line import refuse
from study.plain_errors import suggestion

VERBS: Mapping[str, tuple[str, str]] = {
    "run": ("study.verbs:run", "run a study from its question to its report"),
    "plan": ("study.verbs:plan", "say what a study would run, and run nothing"),
    "resume": ("study.verbs:resume", "go on with a study that was interrupted"),
    "status": ("study.status:main", "say how far a study is, under way or not"),
    "stop": ("study.stopping:main", "end a study that is under way; nothing is lost"),
    "report": ("study.verbs:report", "write the report of a study anew"),
    "compare": ("study.compare:main", "lay two studies side by side"),
    "replay": ("study.verbs:replay", "run a trial again from its record, and compare"),
    "track": ("study.track:main", "bring MLflow up to a study, and compare every value"),
    "export": ("study.export:main", "write trials, epochs or test images as one tidy table"),
}
"""By name: where its function is, which takes arguments and the program's name; what it does."""


def main(arguments: Sequence[str] | None = None, prog: str = "study") -> int:
    """Runs the command line, and returns its exit code.

    Args:
        arguments: without the program's name; left out, those of the process.
        prog: the program, as its help names it.
    """
    told = list(sys.argv[1:] if arguments is None else arguments)
    if not told or told[0] in ("-h", "--help"):
        print(_help(prog), end="")
        return 0 if told else BAD_INPUT
    verb, *rest = told
    if verb.startswith("-"):  # as `python -m study.run` takes them
        verb, rest = "run", told
    if verb not in VERBS:
        return refuse(f"unknown verb {verb!r}; {suggestion(verb, VERBS)}")
    module, function = VERBS[verb][0].split(":")
    code: int = getattr(importlib.import_module(module), function)(rest, prog=f"{prog} {verb}")
    return code


def _help(prog: str) -> str:
    width = max(map(len, VERBS))
    lines = "\n".join(f"  {verb:{width}}  {what}" for verb, (_, what) in VERBS.items())
    return (
        f"usage: {prog} VERB ...\n\n"
        "A study is a question written as a YAML file, answered by training each of its arms.\n\n"
        f"verbs:\n{lines}\n\n"
        f"{prog} VERB --help tells more of each.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
