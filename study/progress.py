"""What a person sees while a study runs: a live table, or lines where there is no terminal."""

from __future__ import annotations

import time
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
_WORDS = {"completed": "done", "pruned": "stopped early", "failed": "FAILED", "running": "running"}


@dataclass
class Progress:
    """Listens to the ledger, and tells.

    Args:
        console: where to.
        objectives: metric of each arm.
        num_trials: how many trials the study has, if every arm can be confirmed.
        num_epochs: how many epochs these have, if none is stopped early.
        concurrency: how many run at once.
    """

    console: Console
    objectives: Mapping[str, str]
    num_trials: int
    num_epochs: int
    concurrency: int
    _records: dict[str, TrialRecord] = field(default_factory=dict)
    _live: Live | None = None
    _last_line: float = field(default_factory=time.monotonic)
    _session: list[float] = field(default_factory=list)
    """Seconds of each epoch that this session saw."""

    def replay(self, event: Event) -> None:
        """Takes in an event of an earlier session, in silence."""
        apply(self._records, event)

    def hear(self, event: Event) -> None:
        """Takes in an event, and shows it."""
        apply(self._records, event)
        record = self._records[event.trial_key]
        if isinstance(event, EpochEnded):
            self._session.append(event.seconds)
        if isinstance(event, TrialEnded) and (event.status == "failed" or self._live is None):
            self._line(f"{self._counted()}  {self._ended(record)}")
        elif isinstance(event, Dealt | EpochEnded) and self._live is None and self._is_time():
            self._line(self._summary() + self._running())

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
        records = list(self._records.values())
        ended = [r for r in records if r.ended is not None]
        ended.sort(key=lambda record: record.ended or "")
        for record in [*ended[-NUM_ENDED_SHOWN:], *(r for r in records if r.ended is None)]:
            dealt = record.dealt
            epoch = f"{record.num_epochs}/{dealt.num_epochs}"
            name = dealt.trial_key.removeprefix(f"{dealt.phase}-{dealt.arm}-")
            cells = (dealt.arm, dealt.phase, name, epoch, self._value(record))
            style = {"running": "", "failed": "red"}.get(record.status, "dim")
            table.add_row(*map(escape, cells), _WORDS[record.status], style=style)
        return Group(table, Text(self._summary(), style="bold"))

    def seconds_left(self) -> float | None:
        """An estimate: mean seconds of an epoch, by epochs that are left, by what runs at once."""
        if not self._session:
            return None
        done = sum(
            r.dealt.num_epochs if r.ended is not None else r.num_epochs
            for r in self._records.values()
        )
        mean = sum(self._session) / len(self._session)
        return max(0.0, self.num_epochs - done) * mean / self.concurrency

    def _summary(self) -> str:
        records = self._records.values()
        running = sum(r.ended is None for r in records)
        failed = sum(r.status == "failed" for r in records)
        left = self.seconds_left()
        parts = [
            self._counted(),
            f"{running} running",
            f"{failed} failed" if failed else "",
            f"about {duration(left)} left" if left is not None else "",
        ]
        return ", ".join(part for part in parts if part)

    def _running(self) -> str:
        running = [r for r in self._records.values() if r.ended is None]
        now = ", ".join(f"{r.dealt.trial_key} {r.num_epochs}/{r.dealt.num_epochs}" for r in running)
        return f": {now} epochs" if running else ""

    def _counted(self) -> str:
        done = sum(r.ended is not None for r in self._records.values())
        width = len(str(self.num_trials))
        return f"[{done:{width}}/{self.num_trials} trials]"

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


def duration(seconds: float) -> str:
    """A span of time in words that are as fine as a person cares for."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
