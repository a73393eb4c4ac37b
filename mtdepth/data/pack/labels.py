"""The instance maps of a file of a pack, read where they lie."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mtdepth.data.pack.cells import decode_instances
from mtdepth.instances.targets import NumberedMap


class Labels:
    """The column `instances`. A cell that pyarrow hands out is a copy: this one gives views.

    Args:
        column: of a file.
        height: rows of an image.
        width: columns of an image.
    """

    def __init__(self, column: pa.StructArray, height: int, width: int) -> None:
        self._height, self._width = height, width
        self._there: list[bool] = column.is_valid().to_pylist()
        numbers, measures = column.field("numbers"), column.field("measures")
        _, starts, content = numbers.buffers()
        self._starts = np.frombuffer(starts, np.int64, count=len(numbers) + 1)
        self._numbers = memoryview(content if content is not None else b"")
        self._measure_starts = measures.offsets.to_numpy()
        self._measures = measures.values.to_numpy()

    def has(self, row: int) -> bool:
        """Whether there is a map."""
        return self._there[row]

    def numbered(self, row: int) -> NumberedMap | None:
        """The map, which can't be written to, if there is one."""
        if not self._there[row]:
            return None
        start, end = self._starts[row : row + 2]
        first, last = self._measure_starts[row : row + 2]
        return decode_instances(
            self._numbers[start:end], self._measures[first:last], self._height, self._width
        )
