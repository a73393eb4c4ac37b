"""Brings MLflow up to a study while it runs, or afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from study.events import Tracked
from study.ledger import Ledger
from study.tracking.mirror import Mirror
from study.tracking.server import tracking_uri

SECONDS_BETWEEN_SYNCS = 3.0
SECONDS_TO_CLOSE = 120.0
"""How long it may be silent at the end."""


class Tracker:
    """Keeps MLflow up to date from a thread of its own, so that training never waits for it.

    What goes wrong is told once, and loses nothing: the ledger has it all.

    Args:
        ledger: of the study; it hears of the runs.
        say: tells a line.
    """

    def __init__(self, ledger: Ledger, say: Callable[[str], None]) -> None:
        self._ledger, self._say = ledger, say
        self._stop = threading.Event()
        self.failure: str | None = None
        """What went wrong, in a line."""
        self._mirror: Mirror | None = None
        self._thread = threading.Thread(target=self._run, name="mlflow", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Writes what is left, and how the study ended."""
        self._stop.set()
        before = -1
        while self._thread.is_alive() and self._num_synced() > before:
            before = self._num_synced()
            self._thread.join(SECONDS_TO_CLOSE)
        if self._thread.is_alive():
            self.failure = f"no answer from {tracking_uri()} in {SECONDS_TO_CLOSE:.0f} s"
        if self.failure is not None:
            self._say(
                f"Note: MLflow does not have all of this study ({self.failure}). Nothing is lost; "
                f"to bring it up to date: python -m study.track {self._ledger.directory}"
            )

    def _num_synced(self) -> int:
        return self._mirror.num_synced if self._mirror is not None else 0

    def _run(self) -> None:
        try:
            mirror = self._mirror = Mirror(self._ledger, tracking_uri())
            while not self._stop.wait(SECONDS_BETWEEN_SYNCS):
                self._sync(mirror, is_running=True)
            self._sync(mirror, is_running=False)
            mirror.close()
        except Exception as error:  # a tracking server may fail in any way, and training goes on
            self.failure = " ".join(f"{type(error).__name__}: {error}".split())[:300]

    def _sync(self, mirror: Mirror, *, is_running: bool) -> None:
        records = list(self._ledger.records.values())
        runs = mirror.sync(records, is_running=is_running)
        for record in records:
            run = runs[record.dealt.trial_key]
            if record.mlflow_run_id != run:
                self._ledger.append(Tracked(trial_key=record.dealt.trial_key, run_id=run))


def track(study_dir: Path) -> str:
    """Brings MLflow up to a study directory; doing it again changes nothing.

    Returns:
        Where the runs are.

    Raises:
        ValueError: the directory holds no study, or one that is under way.
    """
    ledger = Ledger.open(study_dir, writable=True)
    try:
        tracker = Tracker(ledger, lambda _: None)
        tracker.close()
        if tracker.failure is not None:
            raise ValueError(f"MLflow at {tracking_uri()}: {tracker.failure}")
    finally:
        ledger.close()
    return tracking_uri()
