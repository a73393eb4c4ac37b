"""What a pack says of itself: `manifest.json`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from mtdepth.config import Config, DepthTruth
from mtdepth.data.pack.digests import digest
from mtdepth.files import replacing
from mtdepth.metrics.names import Split, Truth

VERSION = 1
"""Rises with every change of what is written for the same data."""
MANIFEST = "manifest.json"
REQUEST = "request.json"
"""Lies in a pack that is not finished, and tells what it is to become."""
FORMAT: Literal["mtdepth-pack"] = "mtdepth-pack"
Codec = Literal["raw", "jpeg"]


class PackSettings(Config):
    """What of a pack can be chosen."""

    name: str
    """`DataConfig.name` of the data set."""
    world: str | None
    """Fingerprint of the driveworld, if it is one."""
    split: str
    """Name under `splits`."""
    height: int
    """Rows of an image."""
    width: int
    """Columns of an image."""
    codec: Codec
    """How frames are kept: `raw` pixels, or `jpeg`."""


class LeftOut(Config):
    """What of one drive is not in the pack, though the lists name it."""

    drive: str
    """`<date>/<date>_drive_NNNN_sync`."""
    num_samples: dict[Split, int]
    """Listed samples that are left out."""
    reason: str
    """What is missing or broken of it."""

    def __str__(self) -> str:
        return f"{self.drive}: {self.reason}"


class SplitEntry(Config):
    """One split of a pack."""

    num_samples: int
    """Lines of its list."""
    digest: str
    """Of its list."""
    truth: dict[DepthTruth, Truth]
    """What it can be judged against, by what counts as true depth."""
    unlabelled: str | None
    """Why the task 'instances' can't be learned from it; None where it can."""


class ShardEntry(Config):
    """One Arrow file of a pack."""

    file: str
    """Its name."""
    num_frames: int
    """Its rows."""
    num_bytes: int
    """Its size."""
    digest: str
    """Of its content: the digests of all cells."""
    checksum: str
    """Of its bytes."""
    request: str
    """Of what it was made from: frames, and the sizes of their files."""


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
    settings: PackSettings, splits: dict[Split, SplitEntry], shards: tuple[ShardEntry, ...]
) -> str:
    """Sixteen hexadecimal digits that differ where the content does."""
    parts = [f"{VERSION} {settings.model_dump_json()}"]
    parts += [f"{split} {entry.digest}" for split, entry in sorted(splits.items())]
    parts += [f"{shard.num_frames} {shard.digest}" for shard in shards]
    return digest("\n".join(parts).encode())[:16]


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Ends the making of a pack."""
    with replacing(root / MANIFEST) as temporary:
        temporary.write_text(manifest.signed().text(), encoding="utf-8")


def read_manifest(root: Path) -> Manifest:
    """The manifest of a pack.

    Raises:
        ValueError: it is damaged, of no pack, or of another version of packs.
    """
    path = root / MANIFEST
    expected = f"{path}: expected the manifest of a pack"
    try:
        text = path.read_text(encoding="utf-8")
        told = json.loads(text)
    except (OSError, ValueError) as error:
        raise ValueError(f"{expected}, found a file that can't be read: {error}") from None
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


def command(arguments: list[str] | tuple[str, ...], root: Path) -> str:
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
