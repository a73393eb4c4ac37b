"""A process that outlives who started it, found again by what was written down of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

SECONDS_TO_END = 20.0
_STARTED: list[subprocess.Popen[bytes]] = []
"""By this process; what is let go of while it runs is taken for a mistake."""


def start(command: Sequence[str], environment: Mapping[str, str], log: Path, note: Path) -> None:
    """Starts a process in a session of its own.

    Args:
        command: program and arguments; no shell reads them.
        environment: all of it.
        log: what it says is added to this file.
        note: file that it is written down in.
    """
    with log.open("ab") as stream:
        started = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            cwd=note.parent,
            start_new_session=True,
        )
    _STARTED.append(started)
    told = {"pid": started.pid, "started": psutil.Process(started.pid).create_time()}
    note.write_text(json.dumps(told))


def find(note: Path) -> psutil.Process | None:
    """The process of a note; None where it is gone, whoever has its number now."""
    try:
        told = json.loads(note.read_text())
        process = psutil.Process(told["pid"])
        is_it = process.create_time() == told["started"]
        return process if is_it and process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
        return None


def stop(note: Path) -> bool:
    """Ends the process of a note and all that it started; whether there was one."""
    process = find(note)
    if process is None:
        note.unlink(missing_ok=True)
        return False
    family = [process, *process.children(recursive=True)]
    process.terminate()
    _, alive = psutil.wait_procs(family, timeout=SECONDS_TO_END)
    for left in alive:
        left.kill()
    psutil.wait_procs(alive, timeout=SECONDS_TO_END)
    note.unlink(missing_ok=True)
    return True
