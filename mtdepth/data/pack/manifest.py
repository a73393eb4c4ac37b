"""What a pack says of itself: `manifest.json`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from mtdepth.config import Config
from mtdepth.data.pack.digests import digest
from mtdepth.data.pack.entries import LeftOut, PackSettings, ShardEntry, SplitEntry
from mtdepth.files import replacing
from mtdepth.metrics.names import Split
from mtdepth.store_url import StoreUrl

VERSION = 1
"""Rises with every change of what is written for the same data."""
MANIFEST = "manifest.json"
REQUEST = "request.json"
"""Lies in a pack that is not finished, and tells what it is to become."""
FORMAT: Literal["mtdepth-pack"] = "mtdepth-pack"


class Manifest(Config):
    """What `manifest.json` holds."""

    format: Literal["mtdepth-pack"] = FORMAT
    """Tells it from other manifests."""
    version: int = VERSION
    """Of the format."""
    arguments: tuple[str, ...]
    """Of `mtdepth.data.prepare`, but for `--out`."""
    settings: PackSettings
    """What was asked for."""
    request: str
    """Of settings, lists and frames before any was found to be broken."""
    fingerprint: str
    """Of settings, lists and content, wherever the pack lies and was made."""
    num_frames: int
    """Over all files."""
    splits: dict[Split, SplitEntry]
    """By name."""
    left_out: tuple[LeftOut, ...]
    """A line a drive."""
    shards: tuple[ShardEntry, ...]
    """In the order of their frames."""
    checksum: str = ""
    """Of this file, itself left empty."""

    def signed(self) -> Manifest:
        """With its checksum."""
        blank = self.model_copy(update={"checksum": ""})
        return self.model_copy(update={"checksum": digest(blank.text().encode())})

    def text(self) -> str:
        """As it lies on disk."""
        return json.dumps(self.model_dump(mode="json"), indent=1) + "\n"


def fingerprint(
    settings: PackSettings, splits: dict[Split, SplitEntry], rows: Iterable[bytes]
) -> str:
    """Sixteen hexadecimal digits that differ where the content does.

    Args:
        settings: of the pack.
        splits: with the digests of their lists.
        rows: the digests of all cells, in order, however they are divided among files.
    """
    lists = [f"{split} {entry.digest}" for split, entry in sorted(splits.items())]
    head = "\n".join([f"{VERSION} {settings.model_dump_json()}", *lists, ""])
    return digest(head.encode() + b"".join(rows))[:16]


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Ends the making of a pack."""
    with replacing(root / MANIFEST) as temporary:
        temporary.write_text(manifest.signed().text(), encoding="utf-8")


def read_manifest(root: Path) -> Manifest:
    """The manifest of a pack.

    Raises:
        ValueError: it is damaged, of no pack, or of another version of packs.
    """
    try:
        text = (root / MANIFEST).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(_unreadable(root, error)) from None
    return parse_manifest(text, root)


def parse_manifest(text: str, root: Path | StoreUrl) -> Manifest:
    """The manifest of a pack, from its text; see `read_manifest`."""
    path = f"{root}/{MANIFEST}"
    expected = f"{path}: expected the manifest of a pack"
    try:
        told = json.loads(text)
    except ValueError as error:
        raise ValueError(_unreadable(root, error)) from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"{expected}, found something else")
    if told.get("version") != VERSION:
        found, arguments = told.get("version"), told.get("arguments", [])
        raise ValueError(
            f"{path}: expected a pack of version {VERSION}, found version {found}; delete it and "
            f"run: {command(list(map(str, arguments)), root)}"
        )
    try:
        manifest = Manifest.model_validate(told)
    except ValidationError as error:
        raise ValueError(f"{expected}, found {error.errors()[0]['msg'].lower()}") from None
    if manifest.signed().text() != text:
        raise ValueError(f"{expected}, found one that was changed or damaged since it was written")
    return manifest


def _unreadable(root: Path | StoreUrl, error: Exception) -> str:
    return (
        f"{root}/{MANIFEST}: expected the manifest of a pack, found a file that can't be read: "
        f"{error}"
    )


def command(arguments: list[str] | tuple[str, ...], root: Path | StoreUrl) -> str:
    """The command that makes a pack at `root`."""
    return f"python -m mtdepth.data.prepare {shlex.join([*arguments, '--out', str(root)])}"


def is_pack(root: Path) -> bool:
    """Whether a directory is a pack.

    Raises:
        ValueError: it is one that is not finished.
    """
    if (root / MANIFEST).is_file():
        return True
    if (root / REQUEST).is_file():
        told = json.loads((root / REQUEST).read_text(encoding="utf-8"))
        raise ValueError(
            f"{root}: expected a whole pack, found one that is not finished; run: "
            f"{command(told['arguments'], root)}"
        )
    return False
