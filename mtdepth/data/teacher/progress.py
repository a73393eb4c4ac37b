"""How far a long run is, on one line of standard error."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

EVERY_S = 0.5


class ProgressLine:
    """A line that is written over, at most twice a second, until all is done."""

    def __init__(self) -> None:
        self._width = 0
        self._shown_at_s = 0.0

    def show(
        self, what: str, done: int, total: int, noun: str, seconds_left: float | None = None
    ) -> None:
        """Writes `what: done/total noun`, and the time that is left where it is known."""
        now_s = time.monotonic()
        if done < total and self._width and now_s - self._shown_at_s < EVERY_S:
            return
        text = f"{what}: {done}/{total} {noun}"
        if seconds_left is not None:
            text += f", {timedelta(seconds=round(seconds_left))} left"
        print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)
        self._width, self._shown_at_s = len(text), now_s
        if done == total:
            self.close()

    def close(self) -> None:
        """Ends the line where one was begun: what comes next has its own."""
        if self._width:
            print(file=sys.stderr, flush=True)
        self._width = 0
