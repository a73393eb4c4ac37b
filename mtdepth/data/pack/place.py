"""The directory where a pack is made: whether it is free, and whose its content is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mtdepth.data.pack.manifest import MANIFEST, REQUEST, Manifest, command, read_manifest
from mtdepth.files import replacing

ADVICE = "give another --out, or delete that one"


def finished(out: Path, request: str, of_shards: Sequence[str]) -> Manifest | None:
    """The manifest of the pack that is there, if it is the one that is asked for.

    Args:
        out: where.
        request: digest of what is asked for.
        of_shards: and of each file.

    Raises:
        ValueError: it is another pack, or the raw files are no longer those that it was made from.
    """
    if not (out / MANIFEST).is_file():
        return None
    there = read_manifest(out)
    if there.request != request:
        raise ValueError(
            f"{out}: expected this pack or nothing, found one of other settings, lists or frames: "
            f"{' '.join(there.arguments)}; {ADVICE}"
        )
    if [shard.request for shard in there.shards] != list(of_shards):
        raise ValueError(
            f"{out}: expected the pack of these files, found that of other ones: images, maps or "
            f"poses have changed since; {ADVICE}"
        )
    clear(out)
    return there


def mark(out: Path, request: str, arguments: Sequence[str]) -> None:
    """Claims the directory for a pack; goes on where the same was begun.

    Raises:
        ValueError: something else is there.
    """
    path = out / REQUEST
    if path.is_file():
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["request"] != request:
            raise ValueError(
                f"{out}: expected this pack or nothing, found another that is not finished; "
                f"{ADVICE}, or finish it: {command(told['arguments'], out)}"
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out}: expected a pack or nothing, found something else; {ADVICE}")
    with replacing(path) as temporary:
        told = {"request": request, "arguments": list(arguments)}
        temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def clear(out: Path) -> None:
    """Takes away what only an unfinished pack has, and what a killed process was writing; the
    lock's holder alone may."""
    (out / REQUEST).unlink(missing_ok=True)
    for pattern in (".*.arrow", ".*.json", "splits/*/.*.txt"):
        for path in out.glob(pattern):
            path.unlink()
