"""A digest tells one content from another."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mtdepth.data.pack.digests import Cell, cell_digest, digest, file_digest

CELLS: list[Cell] = [
    None, 0, 1, True, False, "", "0", "None", b"", b"0", b"None", [], [0], [0.0], [0, 1], [1, 0],
    {"a": 1, "b": 2}, {"a": 2, "b": 1}, {"b": 1}, {"a": None}, {"a": b""}, {"ab": b""},
    {"a": b"b"}, {"a": b"x", "b": b"y"}, {"a": b"xb", "b": b"y"},
]  # fmt: skip


def test_each_cell_has_its_own_digest() -> None:
    assert len({cell_digest(cell) for cell in CELLS}) == len(CELLS)
    assert {len(cell_digest(cell)) for cell in CELLS} == {16}


def test_floats_differ_in_their_last_bit() -> None:
    assert cell_digest([1 / 3]) != cell_digest([1 / 3 + 2**-54])


@pytest.mark.parametrize("content", [b"", b"some bytes" * 99_999])
def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    expected = hashlib.blake2b(content, digest_size=16).hexdigest()
    assert file_digest(tmp_path / "file") == digest(content) == expected
