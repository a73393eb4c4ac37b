"""The study directory as the nodes of a cluster see it, where they share no file system.

Ray Tune writes checkpoints through a file system of pyarrow's. This one is a directory on the
driver's node; what other nodes read and write there travels through Ray.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import ray
from pyarrow import fs
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.keeper import Keeper

CHUNK_BYTES = 16 * 2**20
"""Of a file at a time, so that no node needs memory for a whole one."""
PERSISTENT: dict[str, Any] = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
"""A keeper's options: it is started again where it dies, and asked again where a connection
breaks."""
GREETING_SECONDS = 20.0
"""Between words to a keeper that is silent."""


def study_files(root: Path) -> fs.FileSystem | None:
    """The file system that all nodes of the cluster reach a study directory by.

    Args:
        root: the study directory, on the node of this process.

    Returns:
        None where there is no other node: then it is a directory as any.
    """
    here = ray.get_runtime_context().get_node_id()
    if all(node["NodeID"] == here for node in ray.nodes() if node["Alive"]):
        return None
    keeper = (
        ray.remote(Keeper)
        .options(
            **PERSISTENT,
            max_concurrency=8,
            scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False),
        )
        .remote(str(root.resolve()))
    )
    return fs.PyFileSystem(HeadFiles(keeper))


class HeadFiles(fs.FileSystemHandler):  # type: ignore[misc]  # pyarrow is not typed
    """Pyarrow's view of what a `Keeper` keeps; it travels to the nodes by pickle.

    Args:
        keeper: the actor.
    """

    def __init__(self, keeper: Any) -> None:
        self.keeper = keeper

    def __reduce__(self) -> tuple[Callable[[Any], HeadFiles], tuple[Any]]:
        return HeadFiles, (self.keeper,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HeadFiles) and self.keeper == other.keeper

    def __hash__(self) -> int:
        return hash(self.keeper)

    def get_type_name(self) -> str:
        """See pyarrow."""
        return "head"

    def normalize_path(self, path: str) -> str:
        """See pyarrow."""
        return path

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        """See pyarrow."""
        found = self._answers([self.keeper.info.remote(path) for path in paths])
        return [_info(path, *told) for path, told in zip(paths, found, strict=True)]

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        """See pyarrow."""
        try:
            below = self.ask("below", selector.base_dir, selector.recursive)
        except FileNotFoundError:
            if selector.allow_not_found:
                return []
            raise
        return self.get_file_info(below)

    def create_dir(self, path: str, _recursive: bool) -> None:
        """See pyarrow."""
        self.ask("make", path)

    def delete_dir(self, path: str) -> None:
        """See pyarrow."""
        self.ask("remove", path)

    def delete_dir_contents(self, path: str, _missing_dir_ok: bool = False) -> None:
        """See pyarrow."""
        for found in self.ask("below", path, False):
            self.ask("remove", found)

    def delete_root_dir_contents(self) -> None:
        """Refused: nobody needs it."""
        raise NotImplementedError

    def delete_file(self, path: str) -> None:
        """See pyarrow."""
        self.ask("remove", path)

    def move(self, src: str, dest: str) -> None:
        """See pyarrow."""
        self.ask("move", src, dest)

    def copy_file(self, src: str, dest: str) -> None:
        """See pyarrow."""
        with self.open_input_file(src) as source, self.open_output_stream(dest, None) as target:
            while chunk := source.read(CHUNK_BYTES):
                target.write(chunk)

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """See pyarrow."""
        return self.open_input_file(path)

    def open_input_file(self, path: str) -> pa.NativeFile:
        """See pyarrow."""
        kind, size = self.ask("info", path)
        if kind != "file":
            raise FileNotFoundError(path)
        return pa.PythonFile(_Input(self, path, size), mode="r")

    def open_output_stream(self, path: str, _metadata: Any) -> pa.NativeFile:
        """See pyarrow."""
        return pa.PythonFile(_Output(self, path), mode="w")

    def open_append_stream(self, path: str, _metadata: Any) -> pa.NativeFile:
        """Refused: files are written whole."""
        raise NotImplementedError

    def ask(self, what: str, *arguments: Any) -> Any:
        """What the keeper answers; its errors are those of the files."""
        return self._answers([getattr(self.keeper, what).remote(*arguments)])[0]

    def _answers(self, asked: list[Any]) -> list[Any]:
        """Waits, and says a word now and then: a connection that the other side gave up while a
        cable was out is noticed by who sends, and by who only listens after five minutes."""
        while asked and ray.wait(asked, num_returns=len(asked), timeout=GREETING_SECONDS)[1]:
            self.keeper.greet.remote()
        try:
            answers: list[Any] = ray.get(asked)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        return answers


class _Input(io.RawIOBase):
    """A file on the keeper's node, read in chunks."""

    def __init__(self, files: HeadFiles, path: str, size: int) -> None:
        self._files, self._path, self._size, self._position = files, path, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = self._size - self._position
        wanted = left if size is None or size < 0 else min(size, left)
        parts = []
        while wanted > 0:
            part = self._files.ask("read", self._path, self._position, min(wanted, CHUNK_BYTES))
            if not part:
                break
            parts.append(part)
            self._position += len(part)
            wanted -= len(part)
        return b"".join(parts)


class _Output(io.RawIOBase):
    """A file on the keeper's node, which has its name once it is closed.

    All is sent at once, as pyarrow passes over errors of `close`.
    """

    def __init__(self, files: HeadFiles, path: str) -> None:
        self._files, self._path, self._name = files, path, uuid4().hex
        self._position = 0
        self.write(b"")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._files.ask("write", self._path, self._name, self._position, bytes(data))
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._files.ask("finish", self._path, self._name)
        super().close()


def _info(path: str, kind: str, size: int) -> fs.FileInfo:
    types = {"file": fs.FileType.File, "directory": fs.FileType.Directory}
    return fs.FileInfo(path, types.get(kind, fs.FileType.NotFound), size=size)
