"""One line on standard error."""

from __future__ import annotations

import pytest

from mtdepth.data.teacher import progress
from mtdepth.data.teacher.progress import ProgressLine


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now_s = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now_s[0])
    return now_s


def test_the_line_is_written_over(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine()
    line.show("teacher", 1, 3, "images", 3599.6)
    line.show("teacher", 2, 3, "images", 2.0)  # too soon
    clock[0] += 1
    line.show("teacher", 2, 3, "images")
    line.show("teacher", 3, 3, "images")
    line.close()
    first = "teacher: 1/3 images, 1:00:00 left"
    second = "teacher: 2/3 images".ljust(len(first))
    assert capsys.readouterr().err == f"\r{first}\r{second}\rteacher: 3/3 images\n"


def test_an_open_line_is_closed_once(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine()
    line.close()
    line.show("teacher", 1, 3, "steps")
    line.close()
    line.close()
    assert capsys.readouterr().err == "\rteacher: 1/3 steps\n"
