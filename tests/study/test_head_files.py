"""Files of the driver's node, as other nodes see them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from pyarrow import fs

from study import head_files
from study.head_files import HeadFiles, study_files
from study.keeper import Keeper


@pytest.fixture
def files(small_ray: None, tmp_path: Path) -> Iterator[fs.FileSystem]:
    keeper = ray.remote(Keeper).options(num_cpus=0).remote(str(tmp_path / "study"))
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


class FullKeeper(Keeper):
    """One whose disk is full."""

    def append(self, path: str, writer: str, chunk: bytes) -> None:
        if chunk:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().append(path, writer, chunk)


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
