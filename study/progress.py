"""What a person sees while a study runs: a live table, or lines where there is no terminal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from study.events import Dealt, EpochEnded, Event, TrialEnded
from study.records import TrialRecord, apply
from study.words import counted

SECONDS_BETWEEN_LINES = 15.0
NUM_ENDED_SHOWN = 5
_WORDS = {
    "completed": "done", "pruned": "stopped early", "cut": "cut short", "failed": "FAILED",
    "running": "running",
}  # fmt: skip


@dataclass
class Progress:
    """Listens to the ledger, and tells.

    Args:
        console: where to.
        objectives: metric of each arm.
        num_trials: how many trials the study has, if every arm can be confirmed.
        num_epochs: how many epochs these have, if none is stopped early.
        at_once: how many trials of an arm run at once, were it the only one.
    """

    console: Console
    objectives: Mapping[str, str]
    num_trials: int
    num_epochs: int
    at_once: Mapping[str, int]
    _records: dict[str, TrialRecord] = field(default_factory=dict)
    _open: dict[str, TrialRecord] = field(default_factory=dict)
    """Those that run."""
    _last_ended: deque[TrialRecord] = field(default_factory=lambda: deque(maxlen=NUM_ENDED_SHOWN))
    _num_failed: int = 0
    _num_epochs_done: int = 0
    _live: Live | None = None
    _last_line: float = field(default_factory=time.monotonic)
    _num_seen: int = 0
    _seconds_seen: float = 0.0
    """Over the epochs that this session saw, each by the part of the cluster that it took."""

    def replay(self, event: Event) -> None:
        """Takes in an event of an earlier session, in silence."""
        self._take(event)

    def hear(self, event: Event) -> None:
        """Takes in an event, and shows it."""
        record = self._take(event)
        if isinstance(event, EpochEnded):
            self._num_seen += 1
            self._seconds_seen += event.seconds / self.at_once[record.dealt.arm]
        if isinstance(event, TrialEnded) and (event.status == "failed" or self._live is None):
            self._line(f"{self._counted()}  {self._ended(record)}")
        elif isinstance(event, Dealt | EpochEnded) and self._live is None and self._is_time():
            self._line(self._summary() + self._what_runs())

    def say(self, line: str) -> None:
        """Tells something that is worth a line of its own."""
        self.console.print(Text(line), soft_wrap=True)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keeps a live table on the screen, where there is one."""
        if not self.console.is_terminal:
            yield
            return
        with Live(
            get_renderable=self.render, console=self.console, refresh_per_second=2, transient=True
        ) as self._live:
            try:
                yield
            finally:
                self._live = None

    def render(self) -> RenderableType:
        """The trials that run, the last that ended, and how far the study is."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("arm", "phase", "trial", "epoch", "objective", "state"):
            table.add_column(heading, justify="right" if heading == "epoch" else "left")
        for record in [*self._last_ended, *self._open.values()]:
            dealt = record.dealt
            epoch = f"{record.num_epochs}/{dealt.num_epochs}"
            name = dealt.trial_key.removeprefix(f"{dealt.phase}-{dealt.arm}-")
            cells = (dealt.arm, dealt.phase, name, epoch, self._value(record))
            style = {"running": "", "failed": "red"}.get(record.status, "dim")
            table.add_row(*map(escape, cells), _WORDS[record.status], style=style)
        return Group(table, Text(self._summary(), style="bold"))

    def seconds_left(self) -> float | None:
        """An estimate: what an epoch takes of the cluster on average, by epochs that are left."""
        if not self._num_seen:
            return None
        mean = self._seconds_seen / self._num_seen
        return max(0.0, self.num_epochs - self._num_epochs_done) * mean

    def _take(self, event: Event) -> TrialRecord:
        """Keeps count: with thousands of trials, going through all for each line is too slow."""
        key = event.trial_key
        before = _epochs_done(self._records[key]) if key in self._records else 0
        apply(self._records, event)
        record = self._records[key]
        self._num_epochs_done += _epochs_done(record) - before
        if isinstance(event, Dealt):
            self._open[key] = record
        elif isinstance(event, TrialEnded):
            del self._open[key]
            self._last_ended.append(record)
            self._num_failed += event.status == "failed"
        return record

    def _summary(self) -> str:
        left = self.seconds_left()
        parts = [
            self._counted(),
            f"{len(self._open)} running",
            f"{self._num_failed} failed" if self._num_failed else "",
            f"about {duration(left)} left" if left is not None else "",
        ]
        return ", ".join(part for part in parts if part)

    def _what_runs(self) -> str:
        names = (
            f"{r.dealt.trial_key} {r.num_epochs}/{r.dealt.num_epochs}" for r in self._open.values()
        )
        return f": {', '.join(names)} epochs" if self._open else ""

    def _counted(self) -> str:
        num_done = len(self._records) - len(self._open)
        width = len(str(self.num_trials))
        return f"[{num_done:{width}}/{self.num_trials} trials]"

    def _ended(self, record: TrialRecord) -> str:
        dealt = record.dealt
        if record.status == "failed":
            return f"{dealt.trial_key} FAILED: {record.error}"
        after = f"after {counted(record.num_epochs, 'epoch')}, {duration(record.seconds)}"
        return f"{dealt.trial_key} {_WORDS[record.status]} {after}: {self._value(record)}"

    def _value(self, record: TrialRecord) -> str:
        metric = self.objectives[record.dealt.arm]
        value = record.metrics.get(metric)
        return f"{metric} {value:.4g}" if value is not None else f"{metric} —"

    def _is_time(self) -> bool:
        return time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES

    def _line(self, line: str) -> None:
        self._last_line = time.monotonic()
        self.console.print(Text(line), soft_wrap=True)


def _epochs_done(record: TrialRecord) -> int:
    """Those that need not be waited for: all of a trial that has ended."""
    return record.num_epochs if record.ended is None else record.dealt.num_epochs


def duration(seconds: float) -> str:
    """A span of time in words that are as fine as a person cares for."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
