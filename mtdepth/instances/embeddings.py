"""Predicted offsets of a split beside the true instances, as Arrow: what clustering starts from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mtdepth.files import replacing

SCHEMA = pa.schema(
    [
        pa.field("image", pa.string(), nullable=False),
        pa.field("offsets_px", pa.large_binary(), nullable=False),
        pa.field("instances", pa.large_binary(), nullable=False),
    ]
)
_TOLD = b"told"


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """One image, as the network sees it."""

    image: str
    offsets_px: NDArray[np.float32]
    """(2, H, W) predicted, (x, y) in pixels."""
    instances: NDArray[np.int32]
    """(H, W) true, or a teacher's; 0 for background, k for the k-th instance."""


class Embeddings:
    """The images of a split, read in place: mapped from a file, or from Ray's object store.

    Args:
        table: of `SCHEMA`; its metadata tell what it was made of.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table  # as it is: to join its parts would copy what is mapped
        self.told: dict[str, Any] = told_of(table)
        """What the offsets were predicted with: `height` and `width` among it."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[Embedding]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Embedding:
        size = (self.told["height"], self.told["width"])
        name, offsets, instances = (self.table.column(n)[index] for n in SCHEMA.names)
        return Embedding(
            image=name.as_py(),
            offsets_px=np.frombuffer(offsets.as_buffer(), np.float32).reshape(2, *size),
            instances=np.frombuffer(instances.as_buffer(), np.int32).reshape(size),
        )


def told_of(table: pa.Table) -> dict[str, Any]:
    """What a table of embeddings says that it was made of."""
    told: dict[str, Any] = json.loads((table.schema.metadata or {}).get(_TOLD, b"{}"))
    return told


def as_batch(rows: list[Embedding], told: dict[str, Any]) -> pa.RecordBatch:
    """Images as rows of a table."""
    columns = [
        [row.image for row in rows],
        [np.ascontiguousarray(row.offsets_px, np.float32).tobytes() for row in rows],
        [np.ascontiguousarray(row.instances, np.int32).tobytes() for row in rows],
    ]
    schema = SCHEMA.with_metadata({_TOLD: json.dumps(told).encode()})
    arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def write_embeddings(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    """Writes a file, whole or not at all, a batch at a time.

    Args:
        path: where.
        batches: of one schema, at least one.
    """
    first = next(batches)
    with replacing(path) as temporary, pa.ipc.new_file(str(temporary), first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)


def map_embeddings(path: Path) -> pa.Table:
    """The table in a file, mapped into memory: processes of a machine share it.

    Raises:
        ValueError: it is missing, or not such a file.
    """
    try:
        with pa.memory_map(str(path)) as file:  # its rows stay mapped when it is closed
            table = pa.ipc.open_file(file).read_all()
    except (pa.ArrowException, OSError) as error:
        found = " ".join(str(error).split())
        raise ValueError(f"{path}: expected embeddings as Arrow, found: {found}") from None
    if not table.schema.equals(SCHEMA):
        raise ValueError(f"{path}: expected embeddings, found columns {table.schema.names}")
    return table
