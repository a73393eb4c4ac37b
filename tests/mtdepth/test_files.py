"""A file that is replaced is whole at every moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mtdepth.files import expect_writable, replacing


def test_the_new_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "x.json"
    for text in ("old", "new"):
        with replacing(path) as temporary:
            temporary.write_text(text)
            assert temporary.suffix == ".json"
            assert temporary.parent == path.parent
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")

    def half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("ha")
            raise RuntimeError("no space left")

    with pytest.raises(RuntimeError, match="no space left"):
        half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_writes_nothing_is_told(tmp_path: Path) -> None:
    def nothing() -> None:
        with replacing(tmp_path / "x.txt"):
            pass

    with pytest.raises(FileNotFoundError, match=r"x\.txt"):
        nothing()


def test_where_results_go_is_looked_at_and_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_writable(tmp_path)
    expect_writable(tmp_path / "new" / "folder")
    assert not list(tmp_path.iterdir())
    (tmp_path / "x.txt").touch()
    for place in (tmp_path / "x.txt", tmp_path / "x.txt" / "folder"):
        with pytest.raises(ValueError, match=rf"{place}: expected a directory .* file .*x\.txt$"):
            expect_writable(place)
    asked: list[tuple[Path, int]] = []
    monkeypatch.setattr("os.access", lambda path, mode: bool(asked.append((path, mode))))
    with pytest.raises(ValueError, match=rf"no permission to write in {tmp_path}$"):
        expect_writable(tmp_path / "new" / "folder")
    assert asked == [(tmp_path, os.W_OK | os.X_OK)]
