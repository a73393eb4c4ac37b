"""Numbers and errors as sentences say them."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from study.tracking.server import failure_line
from study.words import MAX_LINE, counted, encodable, error_line, one_line


def test_things_are_counted() -> None:
    assert [counted(n, "pair") for n in (0, 1, 2)] == ["0 pairs", "1 pair", "2 pairs"]


def test_an_error_is_told_in_a_line_of_what_any_file_takes() -> None:
    path = os.fsdecode(b"caf\xe9\n.png")
    assert error_line(OSError(f"no {path}")) == "OSError: no caf\\udce9 .png"


@given(st.text(st.characters(codec=None)))
def test_any_text_becomes_a_line_that_can_be_written(text: str) -> None:
    line = one_line(text)
    assert len(line) <= MAX_LINE
    assert len(line.splitlines()) <= 1
    assert line.encode("utf-8").decode() == line
    if encodable(text) == text:
        assert line in " ".join(text.split())


@given(st.integers(0, 2 * MAX_LINE))
def test_no_password_is_told_wherever_a_line_is_cut_off(before: int) -> None:
    assert "canary" not in failure_line(OSError("x" * before + " at http://me:canary@host/"))
