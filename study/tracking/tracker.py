"""Brings MLflow up to a study while it runs, whatever becomes of the server meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from study.events import Tracked
from study.ledger import Ledger
from study.tracking.mirror import Mirror
from study.tracking.server import failure_line, tracking_uri, without_passwords

SECONDS_BETWEEN_SYNCS = 3.0
MOST_SECONDS_BETWEEN_SYNCS = 60.0
"""While nothing answers: each try waits twice as long as the one before."""
SECONDS_TO_RETURN = 10.0
"""How long an absent server is waited for when the study has ended."""
SECONDS_TO_CLOSE = 120.0
"""How long it may be silent at the end."""


class Tracker:
    """Keeps MLflow up to date from a thread of its own, so that training never waits for it.

    What goes wrong is tried again, with what MLflow has looked up anew: a server that comes back,
    even with an empty database, gets all of it. What still fails at the end is told, and loses
    nothing: the ledger has it all.

    Args:
        ledger: of the study; it hears of the runs.
        say: tells a line.
    """

    def __init__(self, ledger: Ledger, say: Callable[[str], None]) -> None:
        self._ledger, self._say = ledger, say
        self._stop = threading.Event()
        self.failure: str | None = None
        """What went wrong last, in a line; None where all is well."""
        self._mirror: Mirror | None = None
        self._num_tries = 0
        self._thread = threading.Thread(target=self._run, name="mlflow", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Writes what is left, and how the study ended."""
        self._stop.set()
        before = (-1, -1)
        while self._thread.is_alive() and self._steps() != before:
            before = self._steps()
            self._thread.join(SECONDS_TO_CLOSE)
        if self._thread.is_alive():
            self.failure = (
                f"no answer from {without_passwords(tracking_uri())} in {SECONDS_TO_CLOSE:.0f} s"
            )
        if self.failure is not None:
            self._say(
                f"Note: MLflow does not have all of this study ({self.failure}). Nothing is lost; "
                f"to bring it up to date: python -m study.track {self._ledger.directory}"
            )

    def _steps(self) -> tuple[int, int]:
        """Anything that changes as long as it gets on."""
        return self._num_tries, self._mirror.num_synced if self._mirror is not None else 0

    def _run(self) -> None:
        pause = SECONDS_BETWEEN_SYNCS
        while not self._stop.wait(pause):
            self._try(self._follow)
            most = max(pause, min(2 * pause, MOST_SECONDS_BETWEEN_SYNCS))
            pause = most if self.failure else SECONDS_BETWEEN_SYNCS
        deadline, pause = time.monotonic() + SECONDS_TO_RETURN, 0.5
        self._try(self._end)
        while self.failure is not None and time.monotonic() + pause < deadline:
            time.sleep(pause)
            self._try(self._end)
            pause *= 2

    def _try(self, work: Callable[[], None]) -> None:
        """A tracking server may fail in any way, and training goes on."""
        self._num_tries += 1
        try:
            work()
            self.failure = None
        except Exception as error:
            self._mirror = None
            self.failure = failure_line(error)

    def _follow(self) -> None:
        if self._mirror is None:
            self._mirror = Mirror(self._ledger, tracking_uri())
        bring_up(self._ledger, self._mirror, is_running=True)

    def _end(self) -> None:
        """The runs are looked up once more, as they may have been lost unnoticed."""
        self._mirror = Mirror(self._ledger, tracking_uri())
        bring_up(self._ledger, self._mirror, is_running=False)
        self._mirror.close()


def bring_up(ledger: Ledger, mirror: Mirror, *, is_running: bool) -> None:
    """Brings MLflow up to the ledger, which hears of the runs.

    Args:
        ledger: open for writing.
        mirror: the runs of its study.
        is_running: whether the study is under way.
    """
    records = list(ledger.records.values())
    runs = mirror.sync(records, is_running=is_running)
    for record in records:
        run = runs[record.dealt.trial_key]
        if record.mlflow_run_id != run:
            ledger.append(Tracked(trial_key=record.dealt.trial_key, run_id=run))
