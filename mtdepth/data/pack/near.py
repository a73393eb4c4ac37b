"""Packs that lie at a URL: each machine copies one to its own disk, once."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from mtdepth.data.pack.digests import file_digest
from mtdepth.data.pack.manifest import MANIFEST, Manifest, parse_manifest
from mtdepth.files import replacing
from mtdepth.store import Store
from mtdepth.store_url import StoreUrl

CACHE = "MTDEPTH_CACHE"
"""Of the environment: where copies of packs lie; left out, in `data/packs`."""
_Hear = Callable[[int, int], None]
_copies: dict[tuple[StoreUrl, Path], Path] = {}
"""What this process has looked over."""


def near(url: StoreUrl, hear: _Hear | None = None) -> Path:
    """The pack at a URL, on this machine's disk: `<cache>/<fingerprint>`.

    Of several processes one copies, and the others wait. A copy that was interrupted is gone on
    with. A file of a finished copy that is damaged, or was changed later, is copied anew.

    Args:
        url: of the pack.
        hear: called with files that are there, and files in all.

    Raises:
        ValueError: there is no pack, it is damaged, or there is no room for it.
        StoreAway: the store does not answer.
    """
    cache = Path(os.environ.get(CACHE) or "data/packs").absolute()
    if (url, cache) not in _copies:
        store = Store(url)
        text = _manifest_at(store)
        manifest = parse_manifest(text, url)
        if not manifest.fingerprint.isalnum():  # it will be a directory
            raise ValueError(f"{url}: expected a fingerprint, found {manifest.fingerprint!r}")
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f".{manifest.fingerprint}.lock"):
            copy = _Copy(store, manifest, text, cache / manifest.fingerprint)
            copy.make(hear)
        _copies[url, cache] = copy.target
    return _copies[url, cache]


def _manifest_at(store: Store) -> str:
    try:
        return store.read(f"{store.url.path}/{MANIFEST}").decode()
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(
            f"data.root: expected a pack at {store.url}, found no {MANIFEST}; python -m "
            "mtdepth.data.prepare makes packs, which can then be copied there"
        ) from None


@dataclass(frozen=True)
class _File:
    """Of a pack."""

    name: str
    checksum: str
    num_bytes: int


@dataclass(frozen=True)
class _Copy:
    """A copy of a pack, whose lock is held."""

    store: Store
    manifest: Manifest
    text: str
    """Of the manifest, as it lies at the URL."""
    target: Path

    def make(self, hear: _Hear | None) -> None:
        """Sees that it is whole, whatever is there of it."""
        is_new = not self.target.is_dir()
        place = self.target.with_name(f".{self.target.name}") if is_new else self.target
        place.mkdir(exist_ok=True)
        for left in [path for path in place.rglob(".*") if path.is_file()]:
            left.unlink()  # what a killed process was writing
        since = _trusted_until(place / MANIFEST, self.text)
        files = list(self._files())
        wrong = [file for file in files if not _is_good(place / file.name, file, since)]
        if wrong and not is_new:
            names = ", ".join(file.name for file in wrong)
            _tell(f"{self.target}: damaged or changed since it was copied, copied anew: {names}")
        self._require_room(sum(file.num_bytes for file in wrong))
        for done, file in enumerate(wrong, start=len(files) - len(wrong) + 1):
            self._fetch(file, place)
            if hear is not None:
                hear(done, len(files))
        if wrong or not since or any((place / f.name).stat().st_mtime_ns > since for f in files):
            with replacing(place / MANIFEST) as temporary:  # younger than all that is good
                temporary.write_text(self.text, encoding="utf-8")
        if is_new:
            place.rename(self.target)

    def _files(self) -> Iterator[_File]:
        for split, told in self.manifest.splits.items():
            name = f"splits/{self.manifest.settings.split}/{split}_files.txt"
            yield _File(name, told.digest, 0)
        for shard in self.manifest.shards:
            yield _File(shard.file, shard.checksum, shard.num_bytes)

    def _require_room(self, num_bytes: int) -> None:
        free = shutil.disk_usage(self.target.parent).free
        if free < num_bytes:
            raise ValueError(
                f"{self.target.parent}: expected room for {num_bytes / 1e9:.3g} GB of the pack "
                f"{self.store.url}, found {free / 1e9:.3g} GB free; make room, or name a "
                f"directory on another disk by {CACHE}"
            )

    def _fetch(self, file: _File, place: Path) -> None:
        url = self.store.url.below(file.name)  # which takes no `..`
        try:
            with replacing(place / file.name) as temporary:
                with temporary.open("wb") as out:
                    self.store.download(url.path, out)
                if file_digest(temporary) != file.checksum:
                    raise ValueError(
                        f"{url}: expected the file that {MANIFEST} tells of, found another: the "
                        "pack is damaged there, or was changed; copy it there anew"
                    )
        except FileNotFoundError:
            raise ValueError(f"{url}: expected a file of the pack, found none") from None


def _trusted_until(manifest: Path, text: str) -> int:
    """When all files were last seen to be as told (ns); 0 where that is not known."""
    if not manifest.is_file() or manifest.read_text(encoding="utf-8") != text:
        return 0
    return manifest.stat().st_mtime_ns


def _is_good(path: Path, file: _File, since: int) -> bool:
    if not path.is_file():
        return False
    told = path.stat()
    if file.num_bytes not in (0, told.st_size):
        return False
    return told.st_mtime_ns < since or file_digest(path) == file.checksum


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
