"""What is told while a pack is made."""

from __future__ import annotations

import time

import pytest

from mtdepth.data.pack.shards import ShardResult
from mtdepth.data.pack.summary import MOST_BROKEN, Progress
from mtdepth.data.splits import Frame

Said = pytest.CaptureFixture[str]


def result(num_frames: int = 10, *, kept: bool = False, num_broken: int = 0) -> ShardResult:
    broken = {Frame("a/b", i): f"{i}.png: expected a whole image" for i in range(num_broken)}
    return ShardResult(file="x", entry=None, broken=broken, num_frames=num_frames, kept=kept)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its last number is the time."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[-1])
    return now


def lines(said: Said) -> list[str]:
    return [line.rstrip(" ") for line in said.readouterr().err.split("\r")[1:]]


def test_time_left_goes_by_the_time_so_far(clock: list[float], capsys: Said) -> None:
    progress = Progress(40)
    for now in (20, 30, 100, 110):
        clock.append(now)
        progress.hear(result())
    assert lines(capsys) == [
        "10/40 frames, 1:00 left",
        "20/40 frames, 0:30 left",
        "30/40 frames, 0:33 left",
        "40/40 frames".ljust(40) + "\n",
    ]


def test_what_was_there_already_tells_nothing_of_time(clock: list[float], capsys: Said) -> None:
    progress = Progress(100)
    progress.hear(result(50, kept=True))
    clock.append(60)
    progress.hear(result(10))
    assert lines(capsys) == ["50/100 frames", "60/100 frames, 4:00 left"]


def test_broken_frames_are_named_but_not_without_end(capsys: Said) -> None:
    progress = Progress(100)
    for num_broken in (2, 15, 15):
        progress.hear(result(num_broken=num_broken))
    said = capsys.readouterr().err
    assert said.count("broken: ") == MOST_BROKEN
    assert "broken: 1.png: expected a whole image\n" in said
