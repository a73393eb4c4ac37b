"""Reading ahead: in order, a few at a time, and with the reader's own errors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtdepth.data.teacher.ahead import AHEAD, read_batches


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 7), st.integers(0, 3))
def test_batches_hold_all_in_order(num_items: int, batch_size: int, num_threads: int) -> None:
    batches = list(read_batches(lambda item: -item, range(num_items), batch_size, num_threads))
    assert [value for batch in batches for value in batch] == [-i for i in range(num_items)]
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert all(batches)


@pytest.mark.parametrize("num_threads", [0, 2])
def test_no_more_is_read_than_is_soon_wanted(num_threads: int) -> None:
    asked: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            asked.append(item)
            yield item

    batches = read_batches(lambda item: item, items(), 3, num_threads)
    assert next(batches) == [0, 1, 2]
    assert len(asked) == 3 + AHEAD * num_threads
    del batches


@pytest.mark.parametrize("num_threads", [0, 2])
def test_an_error_is_heard_where_it_was_made(num_threads: int) -> None:
    batches = read_batches(lambda item: 1 // (5 - item), range(100), 2, num_threads)
    assert next(batches) == [0, 0]
    assert next(batches) == [0, 0]
    with pytest.raises(ZeroDivisionError):
        next(batches)
