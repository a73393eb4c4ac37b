"""Where checkpoints of trials lie until their trial has ended: in the study directory, or in an
S3-compatible store.

What they are named by is a path within that place: `ray/<session>/<trial_key>/checkpoint_000001`.
A trial that goes on has a directory of its own, `<trial_key>-<id>`.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import ray
from pyarrow import fs
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.head_files import study_files
from study.store_files import StoreFiles
from study.trainable import Store, StoreUrl
from study.words import one_line


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A place for checkpoints."""

    root: str
    """Its path, in both of these."""
    own: fs.FileSystem
    """As the driver sees it."""
    files: fs.FileSystem | None
    """As nodes do; None where it is a directory as any."""
    store: Store | None = None
    """That it is in, if any."""

    def path(self, name: str) -> str:
        """What file systems call it."""
        return f"{self.root}/{name}"

    def name(self, path: str) -> str:
        """What the ledger calls it."""
        return str(PurePosixPath(path).relative_to(self.root))

    def look(self) -> None:
        """Sees, now and then, that the store still answers, so that a person hears if not."""
        if self.store is not None:
            self.store.look()

    def has(self, name: str) -> bool:
        """Whether there is such a directory."""
        found = self.own.get_file_info(self.path(name))
        return bool(found.type == fs.FileType.Directory)

    def find(self, name: str | None) -> str | None:
        """The path of a directory, if there is one."""
        return self.path(name) if name is not None and self.has(name) else None

    def lacks(self, name: str, files: Mapping[str, int]) -> list[str]:
        """What a node has written to a directory and is not there, or not whole.

        Ray Tune writes by pyarrow, which passes over errors of a file's end.

        Args:
            name: of the directory.
            files: their bytes, by the path within.
        """
        if self.files is None:  # those are told
            return []
        found = self.own.get_file_info([self.path(f"{name}/{file}") for file in files])
        return [
            file
            for (file, size), info in zip(files.items(), found, strict=True)
            if not info.is_file or info.size != size
        ]

    def fetch(self, name: str, target: Path) -> None:
        """Copies a directory to the driver's disk."""
        target.mkdir(parents=True)
        source = self.path(name)
        for info in self.own.get_file_info(fs.FileSelector(source, recursive=True)):
            path = target / PurePosixPath(info.path).relative_to(source)
            if info.is_file:
                path.parent.mkdir(parents=True, exist_ok=True)
                with self.own.open_input_stream(info.path) as content, path.open("wb") as copy:
                    shutil.copyfileobj(content, copy)

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: there is none.
        """
        with self.own.open_input_stream(self.path(name)) as file:
            return bytes(file.read())

    def remove(self, name: str) -> None:
        """Removes a directory or a file, if it is there."""
        with contextlib.suppress(OSError):
            (self.own.delete_dir if self.has(name) else self.own.delete_file)(self.path(name))


def check_storage(url: str | None) -> None:
    """Sees, before anything starts, that this machine can write to a store.

    Raises:
        ValueError: one line about why not, and what to do.
    """
    if url is not None:
        _told(Store(_parsed(url)))


def open_storage(
    directory: Path, url: str | None, study_id: str, say: Callable[[str], None]
) -> Storage:
    """Where the checkpoints of a study go; within a Ray session.

    Args:
        directory: of the study.
        url: of a store, which all nodes can write to; left out, they go to the directory.
        study_id: a name of the study's own, below the URL.
        say: hears where the store is away.

    Raises:
        ValueError: a node can't write to the store.
    """
    if url is None:
        files, root = study_files(directory), str(directory.resolve())
        return Storage(root=root, own=fs.LocalFileSystem(), files=files)
    _check_nodes(Store(_parsed(url)))
    store = Store(_parsed(url).below(study_id), say=say)
    files = fs.PyFileSystem(StoreFiles(store))
    return Storage(root=store.url.path, own=files, files=files, store=store)


def _parsed(url: str) -> StoreUrl:
    try:
        found = StoreUrl(url)
    except ValueError as error:
        raise ValueError(f"--storage: {error}") from None
    if found.scheme != "s3":
        raise ValueError(f"--storage: expected s3://BUCKET/PREFIX, found {url}")
    return found


def _told(store: Store) -> None:
    try:
        store.check()
    except ValueError as error:
        raise ValueError(f"--storage: {error}") from None


def _check_nodes(store: Store) -> None:
    check = ray.remote(_told)
    nodes = [node for node in ray.nodes() if node["Alive"]]
    running = [
        check.options(
            num_cpus=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
        ).remote(store)
        for node in nodes
    ]
    for node, done in zip(nodes, running, strict=True):
        try:
            ray.get(done)
        except ray.exceptions.RayTaskError as error:
            why = one_line(str(error.cause))
            raise ValueError(f"{why}, on the node {node['NodeManagerAddress']}") from None
