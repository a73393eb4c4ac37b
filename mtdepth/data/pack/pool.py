"""Work divided among processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_all(
    work: Callable[[Job], Result], jobs: Sequence[Job], num_workers: int
) -> Iterator[Result]:
    """What comes of each job, as it is done, in any order; in this process if there is one worker.

    Workers end with the process that started them, however it ends.

    Raises:
        ValueError: `num_workers` is not positive.
        ChildProcessError: a worker was killed.
    """
    if num_workers < 1:
        raise ValueError(f"expected workers >= 1, found {num_workers}")
    if min(num_workers, len(jobs)) < 2:
        yield from map(work, jobs)
        return
    pool = ProcessPoolExecutor(
        min(num_workers, len(jobs)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
    )
    with pool:
        futures = [pool.submit(work, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            raise ChildProcessError(
                f"expected {num_workers} workers to the end, found one killed, as by a lack of "
                "memory; the same command goes on from here, with fewer --workers if need be"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Leaves it to the parent to be interrupted, and watches it: a worker of one that was killed
    would wait for jobs for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
