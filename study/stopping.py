"""`study stop DIR`: ends a study that is under way in another process, as Ctrl-C there would.

A file in the study directory asks for it, so that no process is mistaken for another, and that it
works from any machine that sees the directory.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

STOP = "stop"
"""Within the study directory: asks its driver to end."""
SECONDS_BETWEEN_LOOKS = 0.5
PATIENCE_S = 120.0
NOT_STOPPED = 1


@contextlib.contextmanager
def stoppable(directory: Path) -> Iterator[None]:
    """Turns a request to stop into the interruption of this process, while this lasts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and _is_main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # begun by a script, with `&`
    wish, over, mutex = directory / STOP, threading.Event(), threading.Lock()
    wish.unlink(missing_ok=True)  # who asks now, asks again in a moment

    def watch() -> None:
        while not over.wait(SECONDS_BETWEEN_LOOKS):
            with mutex:
                if not over.is_set() and wish.exists():
                    over.set()
                    os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=watch, name="stop", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with mutex:
            over.set()
        thread.join()
        wish.unlink(missing_ok=True)


@contextlib.contextmanager
def own_interrupts() -> Iterator[None]:
    """Puts back what Ray Tune leaves behind: a handler that takes the next Ctrl-C, and drops it."""
    if not _is_main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGUSR1)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def is_driven(directory: Path) -> bool:
    """Whether a process holds the study, to run it or to write to it."""
    try:
        handle = os.open(directory / ".lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def stop(directory: Path, patience_s: float = PATIENCE_S) -> None:
    """Ends a study that is under way, and waits until it has ended.

    Raises:
        ValueError: there is no study, or none that is under way.
        TimeoutError: it has not ended in time, and is no longer asked to.
    """
    if not (directory / "space.yaml").exists():
        raise ValueError(f"expected a study directory with a space.yaml, found {directory}")
    if not is_driven(directory):
        raise ValueError(f"{directory}: nothing to stop, as no process runs this study")
    deadline = time.monotonic() + patience_s
    try:
        while is_driven(directory):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{directory}: its process has not ended within {patience_s:g} s; it may be "
                    "busy with its data or its report, or no run at all: try again, or say "
                    "--timeout SECONDS"
                )
            (directory / STOP).touch()
            time.sleep(SECONDS_BETWEEN_LOOKS / 2)
    finally:
        (directory / STOP).unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None, prog: str = "study stop") -> int:
    """Runs the command line, and returns its exit code."""
    from study.command_line import directory_parser, refuse

    parser = directory_parser(
        prog,
        "Ends a study that is under way in another process, as Ctrl-C there would, and waits until "
        "it has ended.\nNo epoch that was reported is lost.",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=PATIENCE_S,
        help="how long to wait for it (%(default)g)",
    )
    options = parser.parse_args(arguments)
    directory = Path(options.study_dir)
    try:
        stop(directory, options.timeout)
    except ValueError as error:
        return refuse(error)
    except TimeoutError as error:
        return refuse(error, NOT_STOPPED)
    print(f"Stopped. To go on:\n  python -m study resume {shlex.quote(str(directory))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
