"""Processes that train together: heard, told apart when they fail, and never left behind."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from mtdepth.together.processes import ProcessLost, together
from tests.mtdepth.together.steps import fail, listen, start_parent


def test_the_first_is_heard_and_all_give_something_back() -> None:
    told: list[Any] = []
    found = together(2, listen, hear=lambda *what: told.append(what))
    assert told == [("a", 1), ("b", 2)]
    assert len(found) == 2
    for one in found:
        assert one["sockets"], "they speak by sockets"
        assert set(one["sockets"]) == {"127.0.0.1"}, "which nobody else can reach"
        assert one["is_shut"], "a training does not see the test split"
        assert one["threads"] == max(1, torch.get_num_threads() // 2)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize(
    ("how", "error", "told"),
    [
        ("raises", ValueError, r"^the images are gone$"),
        ("dies", ProcessLost, r"^expected process \d of the training to go on, .* code -9$"),
    ],
)
def test_one_that_fails_ends_all_with_its_own_reason(
    rank: int, how: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        together(2, fail, rank, how)
    assert multiprocessing.active_children() == []


def test_what_hears_may_end_it() -> None:
    def hear(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        together(2, listen, hear=hear)
    assert multiprocessing.active_children() == []


def test_none_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = start_parent(tmp_path)
    deadline = time.monotonic() + 120
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    pids = [int(path.name) for path in tmp_path.iterdir()]
    assert len(pids) == 2
    parent.kill()
    parent.join()
    deadline = time.monotonic() + 20
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(psutil.pid_exists, pids))


def test_too_few_gpus_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="expected a GPU for each of 2 processes, found 1"):
        together(2, listen)
