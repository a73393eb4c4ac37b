from __future__ import annotations

import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtdepth.losses.fused.compiled import shared


@given(st.integers(1, 5), st.integers(0, 40))
def test_each_is_done_once(threads: int, num: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    done: list[int] = []
    shared(lambda first, last: done.extend(range(first, last)), num)
    torch.set_num_threads(before)
    assert sorted(done) == list(range(num))


def test_one_thread_does_it_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    names: list[str] = []
    shared(lambda _first, _last: names.append(threading.current_thread().name), 7)
    assert names == [threading.current_thread().name]


def test_an_error_of_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)

    def fail(first: int, _last: int) -> None:
        if first > 0:
            raise ValueError("of a thread")

    with pytest.raises(ValueError, match="of a thread"):
        shared(fail, 9)
