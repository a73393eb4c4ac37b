"""Work done ahead of whoever needs it, by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
Made = TypeVar("Made")


def ahead(
    make: Callable[[T], Made], of: Iterable[T], num: int = 2, num_threads: int = 1
) -> Iterator[Made]:
    """What is made of each, in order; the next ones are made while the caller works on the last.

    An error is raised where what it spoilt would have come. The threads end with the iterator.

    Args:
        make: called by these threads.
        of: read by the caller's own thread, `num` further than it has got.
        num: how many are made ahead.
        num_threads: how many make them.
    """
    waiting = deque[Future[Made]]()
    with ThreadPoolExecutor(num_threads, thread_name_prefix="ahead") as threads:
        try:
            for one in of:
                waiting.append(threads.submit(make, one))
                if len(waiting) > num:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
