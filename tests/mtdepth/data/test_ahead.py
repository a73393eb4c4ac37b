"""What is made ahead comes in order, one at a time, and leaves no thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from mtdepth.data.ahead import ahead


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("ahead")]


def counted(num: int, seen: list[int]) -> Iterator[int]:
    for i in range(num):
        seen.append(i)
        yield i


@pytest.mark.parametrize("num", [0, 1, 3, 100])
def test_all_come_in_order(num: int) -> None:
    assert list(ahead(lambda x: x * x, range(10), num)) == [x * x for x in range(10)]
    assert list(ahead(str, [], num)) == []
    assert threads() == []


def test_the_next_are_made_while_the_caller_works_and_no_more_of_them() -> None:
    seen, made = list[int](), list[int]()
    found = ahead(made.append, counted(10, seen), 2)
    next(found)
    deadline = time.monotonic() + 30
    while len(made) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert made == seen == [0, 1, 2]
    found.close()  # type: ignore[attr-defined]
    assert threads() == []
    assert seen == [0, 1, 2]


def test_an_error_is_raised_where_what_it_spoilt_would_have_come() -> None:
    found = ahead(lambda x: 1 / x, [2, 1, 0, 4])
    assert [next(found), next(found)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(found)
    assert threads() == []


def test_what_is_on_its_way_is_finished_and_the_rest_left_when_the_caller_stops() -> None:
    made: list[int] = []

    def slowly(x: int) -> None:
        time.sleep(0.05)
        made.append(x)

    def stops() -> None:
        for _ in ahead(slowly, range(100), 50):
            raise KeyError

    with pytest.raises(KeyError):
        stops()
    assert len(made) < 10
    assert threads() == []
