"""An S3-compatible store as Ray Tune writes checkpoints to it: one of pyarrow's file systems, which
waits where the store is away for a while."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from typing import IO, Any

import pyarrow as pa
from pyarrow import fs

from study.trainable import Store


class StoreFiles(fs.FileSystemHandler):  # type: ignore[misc]  # pyarrow is not typed
    """Pyarrow's view of a store; files come and go whole, by way of a temporary one.

    Args:
        store: travels to the nodes without its keys.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def __reduce__(self) -> tuple[Callable[[Store], StoreFiles], tuple[Store]]:
        return StoreFiles, (self.store,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoreFiles) and self.store == other.store

    def __hash__(self) -> int:
        return hash(self.store)

    def get_type_name(self) -> str:
        """See pyarrow."""
        return "store"

    def normalize_path(self, path: str) -> str:
        """See pyarrow."""
        return path

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        """See pyarrow."""
        return self._ask("get_file_info", paths)

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        """See pyarrow."""
        return self._ask("get_file_info", selector)

    def create_dir(self, _path: str, _recursive: bool) -> None:
        """Nothing: a store has files alone."""

    def delete_dir(self, path: str) -> None:
        """See pyarrow."""
        self._ask("delete_dir", path)

    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> None:
        """See pyarrow."""
        self._ask("delete_dir_contents", path, missing_dir_ok=missing_dir_ok)

    def delete_root_dir_contents(self) -> None:
        """Refused: nobody needs it."""
        raise NotImplementedError

    def delete_file(self, path: str) -> None:
        """See pyarrow."""
        self._ask("delete_file", path)

    def move(self, src: str, dest: str) -> None:
        """See pyarrow."""
        self._ask("move", src, dest)

    def copy_file(self, src: str, dest: str) -> None:
        """See pyarrow."""
        self._ask("copy_file", src, dest)

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """See pyarrow."""
        return self.open_input_file(path)

    def open_input_file(self, path: str) -> pa.NativeFile:
        """See pyarrow."""
        with contextlib.ExitStack() as stack:
            spool = stack.enter_context(tempfile.TemporaryFile())
            self.store.download(path, spool)
            spool.seek(0)
            stack.pop_all()  # whoever reads it closes it
        return pa.PythonFile(spool, mode="r")

    def open_output_stream(self, path: str, _metadata: Any) -> pa.NativeFile:
        """See pyarrow."""
        return pa.PythonFile(_Output(self.store, path), mode="w")

    def open_append_stream(self, path: str, _metadata: Any) -> pa.NativeFile:
        """Refused: files are written whole."""
        raise NotImplementedError

    def _ask(self, what: str, *arguments: Any, **more: Any) -> Any:
        method = getattr(self.store.files, what)
        return self.store.patiently(lambda: method(*arguments, **more))


class _Output:
    """A file that is in the store once it is closed."""

    def __init__(self, store: Store, path: str) -> None:
        self._store, self._path = store, path
        self._spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # see `close`
        self.closed = False

    def write(self, data: Any) -> int:
        return self._spool.write(data)

    def flush(self) -> None:
        """Nothing: it goes when it is whole."""

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            with self._spool:
                self._store.upload(self._spool, self._path)
