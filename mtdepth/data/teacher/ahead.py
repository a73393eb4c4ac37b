"""Reads while others reckon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from mtdepth.data.ahead import ahead

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
    values = (
        ahead(read, items, AHEAD * num_threads, num_threads) if num_threads else map(read, items)
    )
    while batch := list(islice(values, batch_size)):
        yield batch
