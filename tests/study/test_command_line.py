"""What all command lines share."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from study.command_line import MIN_WIDTH, command_parser, console, directory_parser, refuse

SOURCES = sorted((Path(__file__).parents[2] / "study").rglob("*.py"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("expected a study, found none", "error: expected a study, found none\n"),
        ("found  none;\t\tsay which", "error: found none; say which\n"),
        ("two differ:\na: was 1\n\n  b: was 2\n", "error: two differ:\n  a: was 1\n  b: was 2\n"),
    ],
)
def test_an_error_is_told_in_a_line_or_as_a_list(
    error: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refuse(ValueError(error)) == 2
    assert refuse(error, 3) == 3
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", 2 * said)


def test_texts_are_shown_as_they_are_written_and_names_in_full() -> None:
    parser = directory_parser("study look", "Looks:\n  at this", "examples:\n  study look DIR")
    parser.add_argument("--timeout")
    said = parser.format_help()
    assert "Looks:\n  at this" in said
    assert said.endswith("examples:\n  study look DIR\n")
    assert parser.parse_args(["there", "--timeout", "1"]).study_dir == "there"
    with pytest.raises(SystemExit):
        parser.parse_args(["there", "--time", "1"])
    assert command_parser("x", "y").parse_args([]) is not None


def test_tables_have_room_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert console().width == MIN_WIDTH
    monkeypatch.setenv("COLUMNS", "200")
    assert console().width == 200


def test_it_is_written_once() -> None:
    texts = {path.name: path.read_text() for path in SOURCES}
    formatted = [name for name, text in texts.items() if "RawDescriptionHelpFormatter" in text]
    assert formatted == ["command_line.py"]
    tellers = {name for name, text in texts.items() if re.search(r"print\(f?\"error: ", text)}
    assert tellers == {"command_line.py"}
