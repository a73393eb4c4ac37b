"""Starts the processes of a training, hears of them, and ends them, however it ends."""

from __future__ import annotations

import contextlib
import os
import pickle
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any

import torch

from mtdepth.data.shut import keep_test_shut
from mtdepth.together import team

SECONDS_TO_TELL = 5.0
"""How long others may take to say why they failed, once one did."""
Hear = Callable[..., None]
Work = Callable[..., Any]
"""Takes its arguments and `hear`, which the first process calls."""


class ProcessLost(RuntimeError):
    """A process of a training ended without a word."""


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """Why a process could not go on."""

    time: float
    """By the clock that all processes of a machine share: what came first made the others fail."""
    error: Exception


def together(num: int, work: Work, *arguments: Any, hear: Hear | None = None) -> list[Any]:
    """Does the same in several processes that are a team, each with a device of its own.

    With GPUs, process r has the r-th that is visible. The processes end with this one, whatever
    ends it.

    Args:
        num: of processes.
        work: a function of a module.
        arguments: of it, all that pickle takes.
        hear: called here with what `work` tells its own `hear`.

    Returns:
        What each gave back: plain values, as tensors would end with their process.

    Raises:
        ValueError: there are fewer GPUs.
        ProcessLost: one was killed.
        Exception: what the first raised that failed.
    """
    if torch.cuda.is_available() and torch.cuda.device_count() < num:
        raise ValueError(
            f"expected a GPU for each of {num} processes, found {torch.cuda.device_count()}"
        )
    with (
        tempfile.TemporaryDirectory(prefix="mtdepth-") as directory,
        _started(num, Path(directory, "meeting-point"), work, arguments) as members,
    ):
        return _heard(members, hear or (lambda *_: None))


@contextlib.contextmanager
def _started(
    num: int, meeting_point: Path, work: Work, arguments: tuple[Any, ...]
) -> Iterator[dict[Connection, SpawnProcess]]:
    """The processes, by where they are heard; none is left afterwards."""
    context, members = SpawnContext(), dict[Connection, SpawnProcess]()
    threads = max(1, torch.get_num_threads() // num)
    try:
        for rank in range(num):
            here, there = context.Pipe()
            told = (rank, num, meeting_point, threads, there, work, arguments)
            members[here] = context.Process(target=_member, args=told, daemon=True)
            members[here].start()
            there.close()  # so that its end is heard
        yield members
    finally:
        for member in members.values():
            if member.pid is not None:
                member.kill()
                member.join()


def _heard(members: dict[Connection, SpawnProcess], hear: Hear) -> list[Any]:
    """Listens until all have ended, or one failed."""
    order, results = list(members), dict[int, Any]()
    while len(results) < len(members):
        for connection in wait([c for i, c in enumerate(order) if i not in results]):
            assert isinstance(connection, Connection)
            rank = order.index(connection)
            kind, value = _next(connection, members[connection], rank)
            if kind == "failed":
                raise _first_failure(members, connection, value).error
            if kind == "done":
                results[rank] = value
            else:
                hear(*value)
                connection.send(None)
    return [results[rank] for rank in range(len(members))]


def _next(connection: Connection, member: SpawnProcess, rank: int) -> tuple[str, Any]:
    try:
        kind, value = connection.recv()
    except (EOFError, OSError):
        member.join()
        lost = ProcessLost(
            f"expected process {rank + 1} of the training to go on, found that it had ended with "
            f"exit code {member.exitcode}"
        )
        return "failed", _Failure(time=0.0, error=lost)
    return kind, value


def _first_failure(
    members: dict[Connection, SpawnProcess], told: Connection, found: _Failure
) -> _Failure:
    """Of all that fail, the one that the others fail for."""
    failures, deadline = [found], time.monotonic() + SECONDS_TO_TELL
    others = [connection for connection in members if connection is not told]
    while others and (ready := wait(others, max(0.0, deadline - time.monotonic()))):
        for connection in ready:
            assert isinstance(connection, Connection)
            kind, value = _next(connection, members[connection], list(members).index(connection))
            if kind == "failed":
                failures.append(value)
            others.remove(connection)
    return min(failures, key=lambda failure: failure.time)


def _member(
    rank: int,
    num: int,
    meeting_point: Path,
    threads: int,
    parent: Connection,
    work: Work,
    arguments: tuple[Any, ...],
) -> None:
    """What a process does from its start to its end."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)

    def hear(*told: Any) -> None:
        parent.send(("heard", told))
        parent.recv()

    try:
        team.join(rank, num, meeting_point)
        with keep_test_shut():
            parent.send(("done", work(*arguments, hear)))
    except Exception as error:
        parent.send(("failed", _Failure(time=time.monotonic(), error=_portable(error))))
    parent.close()
    os._exit(0)


def _end_with_parent() -> None:
    import multiprocessing

    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _portable(error: Exception) -> Exception:
    """An error that another process can raise."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
