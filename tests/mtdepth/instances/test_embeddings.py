"""Embeddings kept as Arrow."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mtdepth.instances.embeddings import Embedding, Embeddings, as_batch, write_embeddings
from mtdepth.instances.embeddings import map_embeddings as mapped

TOLD = {"height": 6, "width": 8, "min_area": 2, "split": "val"}


def embedding(seed: int) -> Embedding:
    rng = np.random.default_rng(seed)
    return Embedding(
        image=f"drive {seed} l",
        offsets_px=rng.normal(size=(2, 6, 8)).astype(np.float32),
        instances=rng.integers(0, 3, (6, 8)).astype(np.int32),
    )


def write(path: Path) -> Path:
    batches = [as_batch([embedding(0), embedding(1)], TOLD), as_batch([embedding(2)], TOLD)]
    write_embeddings(path, iter(batches))
    return path


def test_what_was_written_is_read_in_place(tmp_path: Path) -> None:
    found = Embeddings(mapped(write(tmp_path / "val.arrow")))
    assert found.told == TOLD
    assert len(found) == 3
    for index, one in enumerate(found):
        assert one.image == embedding(index).image
        np.testing.assert_array_equal(one.offsets_px, embedding(index).offsets_px)
        np.testing.assert_array_equal(one.instances, embedding(index).instances)
        assert not one.offsets_px.flags.owndata


def test_what_is_mapped_is_not_copied(tmp_path: Path) -> None:
    table = mapped(write(tmp_path / "val.arrow"))
    before = pa.total_allocated_bytes()
    for one in Embeddings(table):
        assert one.offsets_px.shape == (2, 6, 8)
    assert table.column("offsets_px").num_chunks == 2
    assert pa.total_allocated_bytes() == before


def test_it_travels(tmp_path: Path) -> None:
    table = mapped(write(tmp_path / "val.arrow"))
    found = Embeddings(pickle.loads(pickle.dumps(table)))
    assert found.told == TOLD
    np.testing.assert_array_equal(found[2].offsets_px, embedding(2).offsets_px)


def test_an_interrupted_file_is_not_there(tmp_path: Path) -> None:
    def broken():
        yield as_batch([embedding(0)], TOLD)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_embeddings(tmp_path / "val.arrow", broken())
    assert not list(tmp_path.iterdir())


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.arrow: expected embeddings as Arrow, found: "):
        mapped(tmp_path / "none.arrow")
    (tmp_path / "text.arrow").write_text("no Arrow")
    with pytest.raises(ValueError, match=r"text\.arrow: expected embeddings as Arrow"):
        mapped(tmp_path / "text.arrow")
    other = pa.table({"x": [1]})
    with pa.ipc.new_file(str(tmp_path / "other.arrow"), other.schema) as writer:
        writer.write_table(other)
    with pytest.raises(ValueError, match=r"expected embeddings, found columns \['x'\]"):
        mapped(tmp_path / "other.arrow")
