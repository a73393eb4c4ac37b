"""Files that are whole or absent, whatever breaks while they are written."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from study.files import write_atomically


def content_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("data", ["", "Größe\n", b"\x00\xff\r\n"])
def test_what_is_written_is_read_back_and_nothing_lies_beside_it(
    tmp_path: Path, data: str | bytes
) -> None:
    path = tmp_path / "new" / "deep" / "file"
    for _ in range(2):
        write_atomically(path, data)
        assert content_of(path.parent) == {
            "file": data if isinstance(data, bytes) else data.encode()
        }
    assert stat.S_IMODE(path.stat().st_mode) == 0o644, "others may read it"


@pytest.mark.parametrize("broken", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_write_that_breaks_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, error: BaseException
) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")

    def breaks(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(*((os, "fsync") if broken == "fsync" else (Path, "replace")), breaks)
    with pytest.raises(type(error)):
        write_atomically(path, "new and longer")
    assert content_of(tmp_path) == {"file": b"old"}


@pytest.mark.parametrize("data", ["half a pair: \ud800", 3])
def test_data_that_cannot_be_written_leaves_the_old_file_whole(tmp_path: Path, data: Any) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises((UnicodeEncodeError, TypeError)):
        write_atomically(path, data)
    assert content_of(tmp_path) == {"file": b"old"}


def test_a_directory_in_its_place_stays(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        write_atomically(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_reader_sees_the_old_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "file"
    texts = ["a" * 50_000, "b" * 70_000]
    write_atomically(path, texts[0])
    over = threading.Event()

    def write() -> None:
        for index in range(30):
            write_atomically(path, texts[index % 2])
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not over.is_set():
        assert path.read_text() in texts
    writer.join()
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
