"""Files of the driver's node, as other nodes see them."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from pyarrow import fs

from study import head_files
from study.head_files import PERSISTENT, HeadFiles, study_files
from study.keeper import Keeper


def twice(method: Callable[..., Any]) -> Callable[..., Any]:
    def both(keeper: Keeper, *arguments: Any) -> Any:
        method(keeper, *arguments)
        return method(keeper, *arguments)

    return both


METHODS = {k: twice(v) for k, v in vars(Keeper).items() if callable(v) and not k.startswith("_")}
AskedTwice = type("AskedTwice", (Keeper,), METHODS)
"""One that hears everything once more, as where an answer is lost on its way."""


@pytest.fixture(params=[Keeper, AskedTwice])
def files(
    small_ray: None, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[fs.FileSystem]:
    keeper = ray.remote(request.param).options(num_cpus=0).remote(str(tmp_path / "study"))
    yield fs.PyFileSystem(HeadFiles(keeper))
    ray.kill(keeper)


def tree(directory: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in directory.rglob("*")
    }


@pytest.mark.parametrize("chunk", [7, head_files.CHUNK_BYTES])
def test_a_directory_goes_there_and_comes_back(
    files: fs.FileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(head_files, "CHUNK_BYTES", chunk)
    source, there, back = tmp_path / "source", tmp_path / "study" / "a" / "b", tmp_path / "back"
    (source / "deep").mkdir(parents=True)
    (source / "state.pt").write_bytes(bytes(range(256)) * 40)
    (source / "deep" / "empty").write_bytes(b"")
    fs.copy_files(str(source), str(there), destination_filesystem=files)
    assert tree(there) == tree(source)
    back.mkdir()
    fs.copy_files(str(there), str(back), source_filesystem=files)
    assert tree(back) == tree(source)
    files.delete_dir(str(there))
    assert not there.exists()
    assert files.get_file_info(str(there)).type == fs.FileType.NotFound


def test_a_file_that_is_not_whole_has_not_its_name(files: fs.FileSystem, tmp_path: Path) -> None:
    root = tmp_path / "study"
    files.create_dir(str(root))
    stream = files.open_output_stream(str(root / "state.pt"))
    stream.write(b"x" * (head_files.CHUNK_BYTES + 1))
    assert not (root / "state.pt").exists()
    stream.close()
    assert (root / "state.pt").stat().st_size == head_files.CHUNK_BYTES + 1
    assert [path.name for path in root.iterdir()] == ["state.pt"]


def test_a_file_is_moved_and_removed(files: fs.FileSystem, tmp_path: Path) -> None:
    root = tmp_path / "study"
    (root / "a").mkdir(parents=True)
    (root / "a" / "state.pt").write_text("state")
    files.move(str(root / "a" / "state.pt"), str(root / "a" / "moved"))
    assert tree(root) == {"a": None, "a/moved": b"state"}
    files.delete_file(str(root / "a" / "moved"))
    assert tree(root) == {"a": None}
    with pytest.raises(FileNotFoundError):
        files.move(str(root / "none"), str(root / "other"))


class Mortal(Keeper):
    """Tells its process, and counts what is said to it."""

    num_greetings = 0

    def pid(self) -> int:
        return os.getpid()

    def greet(self) -> None:
        self.num_greetings += 1

    def info(self, path: str) -> tuple[str, int]:
        """Answers once it has been greeted twice."""
        deadline = time.monotonic() + 20
        while self.num_greetings < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        return "greeted", self.num_greetings


@pytest.fixture
def mortal(small_ray: None, tmp_path: Path) -> Iterator[HeadFiles]:
    keeper = ray.remote(Mortal).options(**PERSISTENT, max_concurrency=2).remote(str(tmp_path))
    yield HeadFiles(keeper)
    ray.kill(keeper)


def test_a_keeper_that_dies_is_followed_by_another_that_goes_on(
    mortal: HeadFiles, tmp_path: Path
) -> None:
    with fs.PyFileSystem(mortal).open_output_stream(str(tmp_path / "state.pt")) as stream:
        stream.write(b"before, ")
        first = mortal.ask("pid")
        os.kill(first, signal.SIGKILL)
        stream.write(b"after")
    assert mortal.ask("pid") != first
    assert tree(tmp_path) == {"state.pt": b"before, after"}


def test_a_silent_keeper_is_greeted_now_and_then(
    mortal: HeadFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_files, "GREETING_SECONDS", 0.05)
    answer, num_greetings = mortal.ask("info", "any")
    assert answer == "greeted"
    assert num_greetings >= 2


class FullKeeper(Keeper):
    """One whose disk is full."""

    def write(self, path: str, writer: str, start: int, chunk: bytes) -> None:
        if chunk:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(path, writer, start, chunk)


def test_a_directory_that_finds_no_room_is_not_taken_for_one_that_does(
    small_ray: None, tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "state.json").write_text("small")
    keeper = ray.remote(FullKeeper).options(num_cpus=0).remote(str(tmp_path / "study"))
    full = fs.PyFileSystem(HeadFiles(keeper))
    target = str(tmp_path / "study" / "a")
    full.create_dir(target)
    with pytest.raises(OSError, match="No space left on device"):
        fs.copy_files(str(tmp_path / "source"), target, destination_filesystem=full)
    ray.kill(keeper)


def test_no_file_outside_of_the_study_is_touched(files: fs.FileSystem, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("private")
    for path in (tmp_path / "other", tmp_path / "study" / ".." / "other", Path("/etc/hostname")):
        with pytest.raises(ValueError, match="expected a path in"):
            files.open_input_file(str(path))


def test_what_is_missing_is_told_as_of_any_file_system(
    files: fs.FileSystem, tmp_path: Path
) -> None:
    missing = str(tmp_path / "study" / "none")
    with pytest.raises(FileNotFoundError):
        files.open_input_file(missing)
    with pytest.raises(FileNotFoundError):
        files.get_file_info(fs.FileSelector(missing))
    assert files.get_file_info(fs.FileSelector(missing, allow_not_found=True)) == []


def test_one_node_alone_has_files_as_any(small_ray: None, tmp_path: Path) -> None:
    assert study_files(tmp_path) is None
