"""Work done ahead of whoever needs it, by a thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
Made = TypeVar("Made")


def ahead(make: Callable[[T], Made], of: Iterable[T], num: int = 2) -> Iterator[Made]:
    """What is made of each, in order; the next ones are made while the caller works on the last.

    An error is raised where what it spoilt would have come. The thread ends with the iterator.

    Args:
        make: called by one thread, which is always the same.
        of: read by the caller's own thread, `num` further than it has got.
        num: how many are made ahead.
    """
    waiting = deque[Future[Made]]()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        try:
            for one in of:
                waiting.append(thread.submit(make, one))
                if len(waiting) > num:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
