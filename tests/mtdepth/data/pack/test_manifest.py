"""A manifest is whole, of this version, and of the data that a training asks for, or refused."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.check import check_data
from mtdepth.data.driveworld import DriveworldConfig
from mtdepth.data.loader import open_split
from mtdepth.data.pack import manifest as manifests
from mtdepth.data.pack.manifest import MANIFEST, VERSION, is_pack, read_manifest, write_manifest
from mtdepth.data.prepare import main
from mtdepth.data.root import data_root
from tests.mtdepth.data.pack.packs import at


@pytest.fixture
def copy(tiny_pack: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_pack, tmp_path / "copy"))


def test_a_manifest_comes_back(tiny_pack: Path, tmp_path: Path) -> None:
    manifest = read_manifest(tiny_pack)
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert (tmp_path / MANIFEST).read_bytes() == (tiny_pack / MANIFEST).read_bytes()
    assert manifest.num_frames == 30
    assert {name: entry.num_samples for name, entry in manifest.splits.items()} == {
        "train": 9, "val": 6, "test": 3,
    }  # fmt: skip


def test_any_byte_of_it_counts(copy: Path) -> None:
    path = copy / MANIFEST
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ValueError, match=rf"{path}: expected .*, found"):
            read_manifest(copy)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other", "version": 1}', "\xff"])
def test_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match="expected the manifest of a pack, found"):
        read_manifest(tmp_path)


def test_another_version_is_refused_with_the_command_that_rebuilds_it(
    copy: Path, tiny_data: DataConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_manifest(copy).fingerprint
    monkeypatch.setattr(manifests, "VERSION", VERSION + 1)
    config = at(tiny_data, copy)
    for ask in (check_data, data_root, lambda config: open_split(config, "val")):
        with pytest.raises(ValueError) as caught:
            ask(config)
        text = str(caught.value)
        assert f"expected a pack of version {VERSION + 1}, found version {VERSION}; " in text
        assert "\n" not in text
    monkeypatch.undo()
    program, _, module, *arguments = shlex.split(text.split("run: ")[1])
    assert (program, module) == ("python", "mtdepth.data.prepare")
    shutil.rmtree(copy)
    assert main([*arguments, "--workers", "1"]) == 0
    assert read_manifest(copy).fingerprint == before


def test_a_directory_is_a_pack_or_not(tiny_pack: Path, tiny_world: Path, tmp_path: Path) -> None:
    assert is_pack(tiny_pack)
    assert not is_pack(tiny_world)
    assert not is_pack(tmp_path)
    assert not is_pack(tmp_path / "nothing")


OTHER_WORLD = DriveworldConfig(num_train_drives=4)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "kitti"}, "expects data.name driveworld, found data.name kitti; change"),
        ({"width": 640, "height": 192},
         "expects data.width 192, data.height 64, found data.width 640, data.height 192; change"),
        ({"split": "other"}, "expects data.split driveworld, found data.split other; change"),
        ({"driveworld": OTHER_WORLD}, "data.driveworld: expected world .* found world"),
    ],
)  # fmt: skip
def test_a_pack_of_other_data_is_refused(
    tiny_data: DataConfig, tiny_pack: Path, changes: dict[str, object], problem: str
) -> None:
    config = at(tiny_data, tiny_pack).model_copy(update=changes)
    for ask in (check_data, lambda config: open_split(config, "val")):
        with pytest.raises(ValueError, match=problem) as caught:
            ask(config)
        assert str(tiny_pack) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_check_is_quick_and_sees_what_is_missing(copy: Path, tiny_data: DataConfig) -> None:
    config = at(tiny_data, copy)
    manifest = read_manifest(copy)
    assert {s.fingerprint for s in check_data(config).values()} == {manifest.fingerprint}
    victims = [copy / manifest.shards[1].file, copy / "splits/driveworld/val_files.txt"]
    for victim in victims:
        content = victim.read_bytes()
        victim.write_bytes(content[:-1])
        with pytest.raises(ValueError, match=rf"{victim}: expected"):
            check_data(config)
        victim.unlink()
        with pytest.raises(ValueError, match=rf"{victim}: expected .* found none"):
            check_data(config)
        victim.write_bytes(content)
    check_data(config)


def test_a_manifest_of_this_format_with_unknown_fields_is_told(copy: Path) -> None:
    told = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**told, "more": 1}))
    with pytest.raises(ValueError, match="found extra inputs are not permitted"):
        read_manifest(copy)
