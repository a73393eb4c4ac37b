"""Keeps the test split shut while something is trained or chosen.

Nothing that a training does needs it; what asks for it all the same is a mistake, and is refused
before a file is opened. It is shut for the whole process, all its threads included.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mtdepth.metrics.names import Split

_mutex = threading.Lock()
_num_holders = 0


class SplitIsShut(RuntimeError):
    """The test split was asked for where nothing may see it."""


@contextmanager
def keep_test_shut() -> Iterator[None]:
    """Refuses the test split until it is left; may be entered several times."""
    global _num_holders
    with _mutex:
        _num_holders += 1
    try:
        yield
    finally:
        with _mutex:
            _num_holders -= 1


def refuse_if_shut(split: Split) -> None:
    """Stands before everything that opens a split.

    Raises:
        SplitIsShut: it is the test split, and that is shut.
    """
    if split == "test" and _num_holders:
        raise SplitIsShut(
            "expected no one to open the test split before the test phase, found a training that "
            "does; read the train or val split instead"
        )
