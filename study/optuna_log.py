"""Optuna's journal as optuna-dashboard reads it; its content can always be made from the events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend


class OptunaLog(BaseJournalBackend):
    """Optuna's journal file with one writer, begun anew.

    Unlike Optuna's own, it takes no lock and forces nothing to disk, which is most of what a
    proposal costs: there is no other writer, and the ledger is what a study goes on from.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        for stale in (path, path.with_name(f"{path.name}.lock")):
            stale.unlink(missing_ok=True)
        path.touch()
        self._path = path
        self._lines: list[str] = []

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """What was written, from a line on."""
        for line in self._lines[log_number_from:]:
            yield json.loads(line)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Writes lines."""
        lines = [json.dumps(log, separators=(",", ":")) for log in logs]
        with self._path.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        self._lines += lines
