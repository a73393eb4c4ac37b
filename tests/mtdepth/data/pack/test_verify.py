"""Any byte of a pack that changes is found, and where it lies is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from mtdepth.data.pack.arrow import open_shard
from mtdepth.data.pack.manifest import read_manifest, write_manifest
from mtdepth.data.pack.rows import schema_of
from mtdepth.data.pack.verify import verify


@pytest.fixture
def copy(tiny_pack: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_pack, tmp_path / "copy"))


def found(root: Path) -> list[str]:
    return verify(root, 1, lambda finding: None)


def flip(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 0x10]))


def test_a_whole_pack_passes(tiny_pack: Path) -> None:
    heard: list[int] = []
    assert verify(tiny_pack, 1, lambda finding: heard.append(finding.num_frames)) == []
    assert sum(heard) == 30
    assert verify(tiny_pack, 2, lambda finding: None) == []


def leaves(array: pa.Array) -> list[pa.Array]:
    """Of nested columns, those that hold values."""
    if pa.types.is_struct(array.type):
        return [x for field in array.type for x in leaves(array.field(field.name))]
    if pa.types.is_list(array.type):
        return [array.values]
    return [array.flatten() if pa.types.is_fixed_size_list(array.type) else array]


def places(path: Path) -> list[tuple[str, int]]:
    """For each column, where some of its values lie in the file."""
    batch, content = open_shard(path), path.read_bytes()
    images = batch.column("image").buffers()[1]
    base = images.address - content.find(images.to_pybytes())
    taken: list[tuple[str, int]] = []
    for name in batch.schema.names:
        for leaf in leaves(batch.column(name)):
            values = leaf.buffers()[-1]
            if values is None or not len(leaf):
                continue
            start = values.address - base
            taken += [(name, start + offset) for offset in (0, values.size // 2)]
    return taken


def test_a_flipped_bit_in_any_column_is_named(copy: Path) -> None:
    path = copy / read_manifest(copy).shards[2].file  # of validation and test frames
    named: set[str] = set()
    for name, place in places(path):
        flip(path, place)
        problems = found(copy)
        assert problems, (name, place)
        assert all(problem.startswith(str(path)) for problem in problems)
        named |= {problem.split("column ")[1] for problem in problems if "column " in problem}
        flip(path, place)
    assert found(copy) == []
    names = set(schema_of(read_manifest(copy).settings).names) - {"digests"}
    assert {f"{name}: damaged" for name in names} <= named


def test_a_damaged_frame_is_named(copy: Path) -> None:
    path = copy / read_manifest(copy).shards[0].file
    batch = open_shard(path)
    third = batch.column("image")[3].as_py()
    flip(path, path.read_bytes().find(third) + 1000)
    drive = batch.column("drive")[3].as_py()
    assert found(copy) == [f"{path}: row 3 (frame {drive} 3 l), column image: damaged"]


def test_a_flipped_bit_anywhere_is_found(copy: Path) -> None:
    path = copy / read_manifest(copy).shards[0].file
    size = path.stat().st_size
    ends = [*range(64), *range(size - 700, size)]  # Arrow's schema and footer among them
    for place in [*ends[::3], *range(0, size, size // 60)]:
        flip(path, place)
        problems = found(copy)
        assert problems, place
        assert all(problem.startswith(str(path)) for problem in problems)
        flip(path, place)


def test_lists_and_lost_files_are_named(copy: Path) -> None:
    manifest = read_manifest(copy)
    short, lost = (copy / manifest.shards[i].file for i in (1, 3))
    short.write_bytes(short.read_bytes()[:-100])
    lost.unlink()
    path = copy / "splits/driveworld/train_files.txt"
    flip(path, 30)
    size = manifest.shards[1].num_bytes
    assert found(copy) == [
        f"{short}: expected {size} bytes, found {size - 100}",
        f"{lost}: expected a file of the pack, found none",
        f"{path}: expected the list as it was packed, found another",
    ]


def test_many_damaged_cells_are_counted(copy: Path) -> None:
    path = copy / read_manifest(copy).shards[0].file
    content = path.read_bytes()
    for cell in open_shard(path).column("digests").to_pylist():
        for column in (0, 3, 5):
            flip(path, content.find(cell) + 16 * column)
    problems = found(copy)
    assert len(problems) == 21
    assert f"{path}: 4 more cells are damaged" in problems


def test_a_fingerprint_that_is_not_of_the_content_is_told(copy: Path) -> None:
    manifest = read_manifest(copy)
    write_manifest(copy, manifest.model_copy(update={"fingerprint": "0" * 16}))
    assert found(copy) == [
        f"{copy}: expected the fingerprint {'0' * 16}, found {manifest.fingerprint}"
    ]


def test_a_file_of_another_pack_is_told(copy: Path) -> None:
    manifest = read_manifest(copy)
    first, second, *rest = manifest.shards
    one, other = (copy / entry.file for entry in (first, second))
    one.write_bytes(other.read_bytes())
    assert found(copy) == [f"{one}: expected {first.num_bytes} bytes, found {second.num_bytes}"]
    of_second = {"num_bytes": second.num_bytes, "checksum": second.checksum}
    shards = (first.model_copy(update=of_second), second, *rest)
    write_manifest(copy, manifest.model_copy(update={"shards": shards}))
    assert found(copy) == [f"{one}: expected the content that was packed, found another"]
