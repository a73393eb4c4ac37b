"""Files of an S3-compatible store, as Ray Tune sees them."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import fs

from study.storage import Storage, check_storage
from study.store_files import StoreFiles
from study.trainable import Store, StoreUrl
from tests.stores import BUCKET, KEYS, TestStore, running_store

ROOT = f"{BUCKET}/a/study"


@pytest.fixture(scope="module")
def store() -> Iterator[TestStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def files(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> fs.FileSystem:
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    return fs.PyFileSystem(StoreFiles(Store(StoreUrl(f"s3://{ROOT}"))))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint"
    (path / "deep").mkdir(parents=True)
    (path / "state.pt").write_bytes(bytes(range(256)) * 40)
    (path / "deep" / "empty").write_bytes(b"")
    return path


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("kind", ["directory", "store"])
def test_a_storage_has_reads_fetches_and_removes(
    files: fs.FileSystem, store: TestStore, checkpoint: Path, tmp_path: Path, kind: str
) -> None:
    root, own = (ROOT, files) if kind == "store" else (str(tmp_path), fs.LocalFileSystem())
    storage = Storage(root=root, own=own, files=own)
    name = "ray/session/trial/checkpoint_000001"
    assert not storage.has(name)
    own.create_dir(storage.path(name))
    fs.copy_files(str(checkpoint), storage.path(name), destination_filesystem=own)
    assert storage.has(name)
    assert storage.name(storage.path(name)) == name
    assert storage.read(f"{name}/state.pt") == (checkpoint / "state.pt").read_bytes()
    storage.fetch(name, tmp_path / "back")
    assert tree(tmp_path / "back") == tree(checkpoint)
    storage.remove(f"{name}/state.pt")
    with pytest.raises(FileNotFoundError):
        storage.read(f"{name}/state.pt")
    assert storage.has(name)
    storage.remove(name)
    assert not storage.has(name)
    storage.remove(name)
    storage.remove("ray")
    assert store.files() == {}


def test_a_file_that_is_not_whole_is_not_there(files: fs.FileSystem, store: TestStore) -> None:
    stream = files.open_output_stream(f"{ROOT}/state.pt")
    stream.write(b"x" * 10_000_000)
    assert store.files() == {}
    stream.close()
    assert store.files() == {"a/study/state.pt": 10_000_000}
    files.delete_file(f"{ROOT}/state.pt")


def test_what_travels_to_the_nodes_has_no_secret(files: fs.FileSystem) -> None:
    written = pickle.dumps(files)
    assert not [key for key in KEYS.values() if key.encode() in written]
    assert pickle.loads(written) == files


@pytest.mark.parametrize("url", ["file:///mnt/a", "studies/a", "s3://UPPER/a"])
def test_what_is_no_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^--storage: expected s3://BUCKET/P"):
        check_storage(url)
