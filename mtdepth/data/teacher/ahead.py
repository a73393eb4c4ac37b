"""Reads while others reckon."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")

AHEAD = 4
"""Items a thread may be ahead of what is used."""


def read_batches(
    read: Callable[[Item], Value], items: Iterable[Item], batch_size: int, num_threads: int
) -> Iterator[list[Value]]:
    """What is read of the items, in their order, in batches; the last may be smaller.

    Args:
        read: called once for each item. Decoding an image leaves other threads free.
        items: what to read.
        batch_size: items a batch.
        num_threads: how many read ahead; 0 reads nothing before it is wanted.
    """
    values = _read_ahead(read, items, num_threads) if num_threads else map(read, items)
    while batch := list(islice(values, batch_size)):
        yield batch


def _read_ahead(
    read: Callable[[Item], Value], items: Iterable[Item], num_threads: int
) -> Iterator[Value]:
    begun: deque[Future[Value]] = deque()
    with ThreadPoolExecutor(num_threads) as pool:
        try:
            for item in items:
                begun.append(pool.submit(read, item))
                if len(begun) > AHEAD * num_threads:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()
