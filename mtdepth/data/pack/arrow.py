"""The Arrow files of a pack: one record batch each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from mtdepth.data.pack.digests import SIZE
from mtdepth.data.pack.entries import PackSettings
from mtdepth.data.pack.rows import DIGESTS, Row, row_digests, schema_of
from mtdepth.files import replacing

REQUEST_KEY = b"request"


def write_shard(path: Path, rows: Sequence[Row], settings: PackSettings, request: str) -> None:
    """Writes a file, whole or not at all.

    Args:
        path: where.
        rows: of its frames.
        settings: of the pack.
        request: what `request_of` gives again.
    """
    schema = schema_of(settings).with_metadata({REQUEST_KEY: request.encode()})
    with replacing(path) as temporary, pa.ipc.new_file(str(temporary), schema) as writer:
        writer.write_batch(pa.RecordBatch.from_pylist(list(rows), schema=schema))


def open_shard(path: Path) -> pa.RecordBatch:
    """The rows of a file, mapped into memory.

    Raises:
        ValueError: it is missing, or not such a file.
    """
    try:
        with pa.memory_map(str(path)) as file:  # its rows stay mapped when it is closed
            reader = pa.ipc.open_file(file)
            if reader.num_record_batches != 1:
                raise ValueError(f"{reader.num_record_batches} record batches")
            return reader.get_batch(0)
    except (pa.ArrowException, OSError, ValueError) as error:
        found = " ".join(str(error).split())
        raise ValueError(
            f"{path}: expected an Arrow file of one record batch, found: {found}"
        ) from None


def request_of(batch: pa.RecordBatch) -> str:
    """What was told when the file was written."""
    return (batch.schema.metadata or {}).get(REQUEST_KEY, b"").decode(errors="replace")


def digests_of(batch: pa.RecordBatch) -> bytes:
    """Of the cells of all rows, one after the other."""
    return b"".join(batch.column(DIGESTS).to_pylist())


def damage(batch: pa.RecordBatch) -> list[tuple[int, str]]:
    """Row and column of each cell that isn't what was written; row -1 if a whole column isn't."""
    names = batch.schema.names
    broken = [(-1, name) for name in names if not _is_valid(batch.column(name))]
    return broken or [(row, name) for row in range(batch.num_rows) for name in _damaged(batch, row)]


def _is_valid(column: pa.Array) -> bool:
    """Whether all of it can be read."""
    try:
        column.validate(full=True)
    except pa.ArrowException:
        return False
    return True


def _damaged(batch: pa.RecordBatch, row: int) -> list[str]:
    cells: Row = batch.slice(row, 1).to_pylist()[0]
    told, ours = cells.pop(DIGESTS), row_digests(cells)
    if told == ours:
        return []
    assert isinstance(told, bytes | None)
    starts = range(0, len(ours), SIZE)
    return [
        name
        for name, start in zip(cells, starts, strict=True)
        if told is None or told[start : start + SIZE] != ours[start : start + SIZE]
    ]
