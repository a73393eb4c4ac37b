"""The arguments of `python -m mtdepth.data.prepare`."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import get_args

from mtdepth.config import DataConfig

NAMES: tuple[str, ...] = get_args(DataConfig.model_fields["name"].annotation)
_DESCRIPTION = """\
Reads a data set once and keeps what trainings need of it, at their size, as a pack: a directory
that data.root can name. Stopped at any time, the same command goes on where it was.
"""
_CODECS = """\
raw: pixels, 3 bytes each (640x192: 360 KiB a frame, 16.7 GB for KITTI), the quickest to read;
jpeg: a quarter of that, decoded each time, and off by 2 of 255 on average (raw)"""


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(
        prog="python -m mtdepth.data.prepare", description=_DESCRIPTION, allow_abbrev=False
    )
    commands = made.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name in NAMES:
        _add_data(commands.add_parser(name, help=f"make a pack of {name}", allow_abbrev=False))
    verify = commands.add_parser("verify", help="find damage in a pack, byte by byte")
    verify.add_argument("pack", metavar="DIR", type=Path, help="the pack")
    _add_workers(verify)
    show = commands.add_parser("show", help="tell what a pack holds")
    show.add_argument("pack", metavar="DIR", type=Path, help="the pack")
    return made


def _add_data(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--root", metavar="DIR", type=Path, required=True, help="the data set as it is published")
    add("--split", metavar="NAME", help="its lists (those that trainings take for granted)")
    add("--size", metavar="WIDTHxHEIGHT", help="what the network sees (as trainings do)")
    add("--out", metavar="DIR", type=Path, required=True, help="the pack to write")
    add("--codec", choices=("raw", "jpeg"), default="raw", help=_CODECS)
    _add_workers(command)
    lacking = command.add_mutually_exclusive_group()
    lacking.add_argument(
        "--strict", action="store_true", help="write nothing if a listed image is missing"
    )
    lacking.add_argument(
        "--skip-broken", action="store_true", help="leave samples out whose files can't be read"
    )


def _add_workers(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workers", metavar="N", type=int, help="processes (all cores)")


def num_workers(told: argparse.Namespace) -> int:
    """Processes: as many as there are cores, unless told.

    Raises:
        ValueError: fewer than one.
    """
    from mtdepth.data.driveworld.store import available_cores

    if told.workers is None:
        return available_cores()
    if told.workers < 1:
        raise ValueError(f"--workers: expected at least 1, found {told.workers}")
    return int(told.workers)


def config_of(told: argparse.Namespace) -> DataConfig:
    """Of the raw files, at the pack's size.

    Raises:
        ValueError: a value that was told is none; pydantic's ValidationError, for the most part.
    """
    fields: dict[str, object] = {"name": told.command, "root": told.root}
    if told.split is not None:
        fields["split"] = told.split
    if told.size is not None:
        size = re.fullmatch(r"(\d+)x(\d+)", told.size)
        if size is None:
            raise ValueError(f"--size: expected WIDTHxHEIGHT such as 640x192, found {told.size!r}")
        fields |= {"width": int(size[1]), "height": int(size[2])}
    if told.command == "driveworld":
        fields["driveworld"] = _world(told.root)
    return DataConfig.model_validate(fields)


def _world(root: Path) -> object:
    """The configuration that a driveworld was rendered by."""
    from mtdepth.data.driveworld.store import MARK

    if not (root / MARK).is_file():
        raise ValueError(
            f"--root: expected a driveworld, found no {MARK} in {root}; render one with "
            f"python -m mtdepth.data.driveworld --out {root}"
        )
    return json.loads((root / MARK).read_text(encoding="utf-8"))["config"]
