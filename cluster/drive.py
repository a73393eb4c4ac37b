"""`python -m cluster.drive DIR --nodes 3 -- --space weighting.yaml`: a study, on this cluster.

What a scheduler starts, on the head: it waits for the nodes, begins the study in DIR or goes on
with it, and turns a scheduler's signals into the one that a study ends cleanly on.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster.command_line import run

SECONDS_TO_JOIN = 900.0
INTERRUPTED = 130
STOPPING = ("RAY_JOB_STOP_WAIT_TIME_S", "120")
"""For Ray's environment on the head: the time that `ray job stop` leaves a study for its end."""
_OURS = ("--out", "--resume", "--address")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns the study's exit code."""
    return run(_parser(), arguments)


def command(directory: Path, arguments: Sequence[str], address: str) -> list[str]:
    """What starts the study in a directory, or goes on with it where there is one.

    Raises:
        ValueError: the directory is not absolute, or arguments say what is said here.
    """
    check(directory, arguments)
    begins = not (directory / "space.yaml").exists()
    where = ["--out" if begins else "--resume", str(directory), "--address", address]
    return [sys.executable, "-m", "study.run", *where, *arguments]


def check(directory: Path, arguments: Sequence[str]) -> None:
    """Sees that a study can be begun, and gone on with, by the same words.

    Raises:
        ValueError: it cannot.
    """
    if not directory.is_absolute():
        raise ValueError(f"DIR: expected an absolute path, found {str(directory)!r}")
    given = {argument.partition("=")[0] for argument in arguments}
    for name in _OURS:
        if name in given:
            raise ValueError(f"{name}: expected DIR and --address before --, found it after")
    if "--space" not in given:
        raise ValueError("expected -- --space FILE, found no --space")


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m cluster.drive",
        description="Runs a study on the Ray cluster that this machine is part of.",
        allow_abbrev=False,
    )
    made.set_defaults(run=_drive)
    made.add_argument("directory", metavar="DIR", type=Path, help="the study's; an absolute path")
    made.add_argument("--nodes", type=int, default=1, help="to wait for, the head among them (1)")
    made.add_argument("--address", default="auto", help="of the cluster (auto)")
    made.add_argument(
        "--patience", type=float, default=SECONDS_TO_JOIN, help="seconds to wait for nodes (900)"
    )
    made.add_argument(
        "arguments", metavar="ARGUMENT", nargs="+", help="after --: those of study.run"
    )
    return made


def _drive(
    directory: Path, nodes: int, address: str, patience: float, arguments: Sequence[str]
) -> int:
    told = command(directory, arguments, address)
    signals = _Signals()
    waiting = [sys.executable, "-m", "cluster.joined", address, str(nodes), str(patience)]
    return signals.run(waiting) or signals.run(told)


class _Signals:
    """Runs commands one by one; a signal to this process becomes one interrupt of theirs."""

    def __init__(self) -> None:
        self.running: subprocess.Popen[bytes] | None = None
        self.is_over = self.is_told = False
        for number in _SIGNALS:
            signal.signal(number, lambda *_: self._hear())

    def run(self, told: Sequence[str]) -> int:
        """Its exit code."""
        if self.is_over:
            return INTERRUPTED
        self.running = subprocess.Popen(told, process_group=0)  # else Ctrl-C would come twice
        self._pass_on()  # what came in between
        code = self.running.wait()
        return code if code >= 0 else 128 - code

    def _hear(self) -> None:
        self.is_over = True
        self._pass_on()

    def _pass_on(self) -> None:
        if self.is_over and not self.is_told and self.running is not None:
            self.is_told = True
            self.running.send_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
