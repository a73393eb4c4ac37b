"""The study directory: its journal, which is the truth, and the tables that are read off it."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pandas as pd
import yaml
from filelock import FileLock, Timeout

from study import tables
from study.events import Event, decode, encode
from study.files import append_durably, write_atomically
from study.records import TrialRecord, apply
from study.space import Space
from study.space_loading import space_as_yaml

MIN_SECONDS_BETWEEN_TABLES = 5.0
Listener = Callable[[Event], None]


class Ledger:
    """What a study has done so far.

    Events are appended to `events.jsonl` and forced to disk before anything else hears of them.
    The Parquet tables are written from them now and then, and by `flush`. One process writes;
    any number may read, at any time.
    """

    def __init__(self, directory: Path, *, lock: FileLock | None = None) -> None:
        self.directory = directory
        self.records: dict[str, TrialRecord] = {}
        """Trials by key, in the order in which they were dealt."""
        self.listeners: list[Listener] = []
        """Hear of each event after it is on disk, in this order."""
        self.space = Space.model_validate(
            yaml.safe_load((directory / "space.yaml").read_text(encoding="utf-8"))
        )
        self._lock = lock
        self._mutex = threading.RLock()
        self._next_tables = 0.0
        for event in self.events():
            apply(self.records, event)

    @classmethod
    def create(cls, directory: Path, space: Space, manifest: dict[str, Any]) -> Self:
        """Starts a study directory, and holds it as its one writer.

        Args:
            directory: must not hold a study yet.
            space: the resolved space; it is kept as `space.yaml`.
            manifest: what the numbers depend on beside the space; kept as `manifest.json`.

        Raises:
            ValueError: the directory holds a study already, or another process is at it.
        """
        refuse_taken(directory)
        directory.mkdir(parents=True, exist_ok=True)
        lock = _locked(directory)
        write_atomically(directory / "manifest.json", json.dumps(manifest, indent=2) + "\n")
        write_atomically(directory / "space.yaml", space_as_yaml(space))
        return cls(directory, lock=lock)

    @classmethod
    def open(cls, directory: Path, *, writable: bool = False) -> Self:
        """Opens a study directory that is there, as a reader or as its one writer.

        Raises:
            ValueError: it holds no study, or is to be written and another process is at it.
        """
        if not (directory / "space.yaml").exists():
            raise ValueError(f"expected a study directory with a space.yaml, found {directory}")
        lock = _locked(directory) if writable else None
        if lock is not None:
            _drop_torn_line(directory / "events.jsonl")
        return cls(directory, lock=lock)

    @property
    def manifest(self) -> dict[str, Any]:
        """Versions, machine, data, objectives and times."""
        content: dict[str, Any] = json.loads((self.directory / "manifest.json").read_text())
        return content

    def update_manifest(self, **fields: Any) -> None:
        """Sets fields of the manifest."""
        content = json.dumps({**self.manifest, **fields}, indent=2) + "\n"
        write_atomically(self.directory / "manifest.json", content)

    def append(self, event: Event) -> None:
        """Puts an event on disk, then tells the listeners."""
        assert self._lock is not None, "opened as a reader"
        with self._mutex:
            append_durably(self.directory / "events.jsonl", encode(event))
            apply(self.records, event)
            if time.monotonic() >= self._next_tables:
                self.flush()
        for listener in self.listeners:
            listener(event)

    def events(self) -> Iterator[Event]:
        """All events so far, in order; a last line that was cut off by a crash is left out."""
        journal = self.directory / "events.jsonl"
        if not journal.exists():
            return
        with journal.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith("\n"):
                    return
                try:
                    yield decode(line)
                except (ValueError, TypeError) as error:
                    raise ValueError(f"{journal}, line {number}: {error}") from error

    def trials(self) -> pd.DataFrame:
        """A row a trial; `params` and `metrics` are dictionaries."""
        with self._mutex:
            devices = self.space.num_devices
            return tables.trials(self.records.values(), self.objectives(), devices)

    def epochs(self) -> pd.DataFrame:
        """A row a trial, epoch and metric."""
        with self._mutex:
            return tables.epochs(self.records.values())

    def test(self) -> pd.DataFrame:
        """A row a trial and test image; `metrics` is a dictionary."""
        with self._mutex:
            return tables.test(self.records.values())

    def objectives(self) -> dict[str, str]:
        """The metric that each arm is tuned for."""
        found = self.manifest.get("objectives", {})
        return {
            arm: found.get(arm, {}).get("metric", self.space.objective_of(arm).metric)
            for arm in self.space.arms
        }

    def flush(self) -> None:
        """Writes the Parquet tables; they cost at most a fiftieth of the time."""
        with self._mutex:
            started = time.monotonic()
            tables.write(self.directory / "trials.parquet", self.trials())
            tables.write(self.directory / "epochs.parquet", self.epochs())
            tables.write(self.directory / "test.parquet", self.test())
            ended = time.monotonic()
            self._next_tables = ended + max(MIN_SECONDS_BETWEEN_TABLES, 50 * (ended - started))

    def __reduce__(self) -> tuple[Callable[[Path], Ledger], tuple[Path]]:
        """It travels as a reader: Ray Tune pickles all that it is given."""
        return Ledger.open, (self.directory,)

    def close(self) -> None:
        """Writes the tables and lets go of the directory."""
        if self._lock is not None:
            try:
                self.flush()
            finally:
                self._lock.release()
                self._lock = None


def refuse_taken(directory: Path) -> None:
    """Refuses a directory that holds a study already.

    Raises:
        ValueError: it does.
    """
    if (directory / "space.yaml").exists():
        raise ValueError(
            f"{directory} holds a study already: expected a new directory for --out, or "
            f"--resume {directory} to go on with that one"
        )


def _locked(directory: Path) -> FileLock:
    lock = FileLock(directory / ".lock")
    with contextlib.suppress(Timeout):
        lock.acquire(timeout=0)
        return lock
    raise ValueError(
        f"{directory} is in use: another process runs this study; wait for it, or stop it first"
    )


def _drop_torn_line(journal: Path) -> None:
    """Cuts off what a crash left of a last line, so that the next event starts a line."""
    if not journal.exists():
        return
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(journal, whole)
