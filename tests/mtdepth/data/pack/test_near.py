"""Packs at a URL are copied once, whole or not at all, and are the packs that they were."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.check import check_data
from mtdepth.data.pack import near as module
from mtdepth.data.pack.manifest import MANIFEST, read_manifest, write_manifest
from mtdepth.data.pack.near import CACHE, near
from mtdepth.data.pack.verify import verify
from mtdepth.data.root import PackDiffers, data_root, expect_packs, pack_fingerprints
from mtdepth.store_url import StoreUrl
from tests.mtdepth.data.pack.packs import at, make, request
from tests.stores import BUCKET, TestStore, running_store

COPY = """
import sys
from mtdepth.data.pack.near import near
from mtdepth.store_url import StoreUrl

print(near(StoreUrl(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def store(tiny_pack: Path) -> Iterator[TestStore]:
    with running_store() as store:
        store.put(tiny_pack, "packs/tiny")
        yield store


@pytest.fixture(autouse=True)
def cache(store: TestStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty, of a process that has seen nothing yet."""
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_copies", {})
    store.door.asked.clear()
    return tmp_path / "cache"


@pytest.fixture(params=["s3", "file"])
def url(request: pytest.FixtureRequest, tiny_pack: Path, tmp_path: Path) -> StoreUrl:
    if request.param == "s3":
        return StoreUrl(f"s3://{BUCKET}/packs/tiny")
    shutil.copytree(tiny_pack, tmp_path / "mount" / "tiny")
    return StoreUrl(f"file://{tmp_path}/mount/tiny")


def again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that starts later."""
    monkeypatch.setattr(module, "_copies", {})


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_a_copy_is_the_pack(
    url: StoreUrl, tiny_pack: Path, tiny_data: DataConfig, cache: Path
) -> None:
    told = at(tiny_data, tiny_pack)
    there = told.model_copy(update={"root": url})
    told_of: list[tuple[int, int]] = []
    copy = data_root(there, lambda *progress: told_of.append(progress))
    assert copy == cache / read_manifest(tiny_pack).fingerprint
    assert files(copy) == files(tiny_pack)
    assert verify(copy, 1, lambda finding: None) == []
    assert told_of == [(i + 1, len(told_of)) for i in range(len(told_of))]
    assert check_data(there) == check_data(told)
    assert pack_fingerprints(there) == {str(url): read_manifest(tiny_pack).fingerprint}
    assert [path.name for path in cache.iterdir() if path.name != f".{copy.name}.lock"] == [
        copy.name
    ]


def copying(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COPY, url], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )


def test_of_two_processes_one_copies(store: TestStore, tiny_pack: Path, cache: Path) -> None:
    url = f"s3://{BUCKET}/packs/tiny"
    both = [copying(url) for _ in range(2)]
    told = {process.communicate(timeout=120)[0].strip() for process in both}
    assert told == {str(cache / read_manifest(tiny_pack).fingerprint)}
    asked = Counter(line for line in store.door.asked if line.startswith("GET "))
    gets = {line: num for line, num in asked.items() if "frames-" in line or "splits/" in line}
    assert set(gets.values()) == {1}
    assert len(gets) == len(files(tiny_pack)) - 1


def test_a_copy_whose_process_was_killed_is_gone_on_with(
    store: TestStore, tiny_pack: Path, cache: Path
) -> None:
    url = StoreUrl(f"s3://{BUCKET}/packs/tiny")
    store.door.closes_at = "GET /studies/packs/tiny/frames-00002"
    with copying(url) as process:
        deadline = time.monotonic() + 60
        while not any("frames-00002" in line for line in store.door.asked):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)
        process.kill()
    name = read_manifest(tiny_pack).fingerprint
    begun = files(cache / f".{name}")
    assert {"frames-00000.arrow", "frames-00001.arrow"} <= begun.keys()
    assert "frames-00002.arrow" not in begun
    assert not (cache / name).exists()
    store.door.open()
    store.door.asked.clear()
    assert files(near(url)) == files(tiny_pack)
    assert not [line for line in store.door.asked if "GET" in line and "frames-00001" in line]


def test_what_is_damaged_or_changed_later_is_named_and_copied_anew(
    url: StoreUrl,
    tiny_pack: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = near(url)
    first, second, third = sorted(copy.glob("frames-*"))[:3]
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.write_bytes(content)
    second.write_bytes(second.read_bytes()[:-1])
    third.unlink()
    (copy / "splits/driveworld/val_files.txt").write_text("other\n")
    again(monkeypatch)
    assert near(url) == copy
    assert files(copy) == files(tiny_pack)
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"{copy}: damaged or changed since it was copied, copied anew: "
        "splits/driveworld/val_files.txt, frames-00000.arrow, frames-00001.arrow, "
        "frames-00002.arrow"
    )
    again(monkeypatch)
    near(url)
    assert capsys.readouterr().err == ""


def test_a_copy_is_read_through_once_alone(url: StoreUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = near(url)
    read: list[Path] = []
    monkeypatch.setattr(module, "file_digest", lambda path: read.append(path) or "")
    again(monkeypatch)
    near(url)
    assert read == []
    (copy / MANIFEST).unlink()
    again(monkeypatch)
    with pytest.raises(ValueError, match="expected the file that"):
        near(url)
    assert read != []


def test_a_pack_that_is_damaged_there_is_refused(tiny_pack: Path, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    shutil.copytree(tiny_pack, mount)
    content = bytearray((mount / "frames-00001.arrow").read_bytes())
    content[-100] ^= 1
    (mount / "frames-00001.arrow").write_bytes(content)
    with pytest.raises(ValueError, match=r"frames-00001.arrow: expected the file that") as caught:
        near(StoreUrl(f"file://{mount}"))
    assert str(caught.value).startswith(f"file://{mount}/")
    (mount / "frames-00001.arrow").unlink()
    with pytest.raises(ValueError, match="expected a file of the pack, found none"):
        near(StoreUrl(f"file://{mount}"))


@pytest.mark.parametrize(
    "place", [f"s3://{BUCKET}/packs", "s3://nowhere/pack", "file:///nowhere/at"]
)
def test_where_there_is_none_it_says_so(place: str) -> None:
    with pytest.raises(ValueError, match=f"expected a pack at {place}, found no manifest.json"):
        near(StoreUrl(place))


@pytest.mark.parametrize("change", [{"file": "../../escaped"}, {"fingerprint": "../escaped"}])
def test_a_pack_can_write_nowhere_else(
    tiny_pack: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    mount = tmp_path / "mount"
    shutil.copytree(tiny_pack, mount)
    told = read_manifest(mount)
    first = told.shards[0]
    (tmp_path / "escaped").write_text("private")
    if "file" in change:
        change = {"shards": (first.model_copy(update=change), *told.shards[1:])}
    write_manifest(mount, told.model_copy(update=change))
    with pytest.raises(ValueError, match="expected"):
        near(StoreUrl(f"file://{mount}"))
    assert (tmp_path / "escaped").read_text() == "private"
    assert not (tmp_path / "cache" / "escaped").exists()


def test_room_is_looked_for_first(
    url: StoreUrl, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ValueError, match=f"^{cache}: expected room for .* GB of the pack {url}"):
        near(url)
    assert not list(cache.glob("*/frames-*"))


def test_a_store_that_is_away_is_waited_for(store: TestStore, tiny_pack: Path) -> None:
    store.door.closes_at = "frames-00001"
    with copying(f"s3://{BUCKET}/packs/tiny") as process:
        while not any("frames-00001" in line for line in store.door.asked):
            time.sleep(0.05)
        time.sleep(2)
        store.door.open()
        told, _ = process.communicate(timeout=60)
    assert files(Path(told.strip())) == files(tiny_pack)


def test_another_pack_than_the_driver_saw_is_refused(
    url: StoreUrl, tiny_data: DataConfig, tiny_pack: Path, tmp_path: Path
) -> None:
    config = at(tiny_data, tiny_pack).model_copy(update={"root": url})
    expect_packs(config, pack_fingerprints(config))
    other = {str(url): "0123456789abcdef"}
    with pytest.raises(PackDiffers, match=f"expected the pack 0123456789abcdef at {url}, as the"):
        expect_packs(config, other)
    plain = at(tiny_data, tmp_path / "plain")
    made = make(request(tiny_data, tmp_path / "plain", "jpeg"))
    assert pack_fingerprints(plain) == {str(tmp_path / "plain"): made.fingerprint}
    with pytest.raises(PackDiffers):
        expect_packs(plain, {str(tmp_path / "plain"): read_manifest(tiny_pack).fingerprint})
    assert pack_fingerprints(tiny_data) == {}
    expect_packs(tiny_data, {})
    with pytest.raises(PackDiffers, match="found none on"):
        expect_packs(tiny_data, {str(tiny_data.root): made.fingerprint})
