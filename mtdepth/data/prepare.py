"""`python -m mtdepth.data.prepare`: a data set becomes a pack, which all trainings share."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from pydantic import ValidationError

from mtdepth.config import DataConfig

if TYPE_CHECKING:
    from mtdepth.data.pack.request import Request
    from mtdepth.data.reader import Reader

BAD_INPUT, DAMAGED, INTERRUPTED = 2, 1, 130
NAMES: tuple[str, ...] = get_args(DataConfig.model_fields["name"].annotation)
_DESCRIPTION = """\
Reads a data set once and keeps what trainings need of it, at their size, as a pack: a directory
that data.root can name. Stopped at any time, the same command goes on where it was.
"""
_CODECS = """\
raw: pixels, 3 bytes each (640x192: 360 KiB a frame, 16.4 GB for KITTI), the quickest to read;
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns its exit code.

    Args:
        arguments: without the program's name; left out, those of the process.
    """
    told = parser().parse_args(arguments)
    try:
        if told.command == "verify":
            return _verify(told)
        if told.command == "show":
            return _show(told.pack)
        return _prepare(told)
    except ValidationError as error:
        wrong = error.errors()[0]
        place, problem = ".".join(map(str, wrong["loc"])), wrong["msg"].lower()
        print(f"error: {place}: {problem}, found {wrong['input']!r}", file=sys.stderr)
        return BAD_INPUT
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED


def _prepare(told: argparse.Namespace) -> int:
    from mtdepth.data.missing import WHERE
    from mtdepth.data.pack.summary import Progress, describe
    from mtdepth.data.pack.write import make_pack

    request, reader = _request(told)
    for drive in request.plan.left_out:
        print(f"left out: {drive}", file=sys.stderr)
    if request.plan.left_out:
        print(WHERE[told.command], file=sys.stderr)
        if told.strict:
            num = sum(sum(drive.num_samples.values()) for drive in request.plan.left_out)
            raise ValueError(f"expected all listed images, found {num} samples that lack some")
    started = time.perf_counter()
    made = make_pack(request, reader, Progress(len(request.plan.frames)).hear)
    for drive in made.left_out[len(request.plan.left_out) :]:
        print(f"left out: {drive}", file=sys.stderr)
    print(describe(told.out, made))
    print(f"ready after {time.perf_counter() - started:.1f} s")
    return 0


def _request(told: argparse.Namespace) -> tuple[Request, Reader]:
    from mtdepth.data.check import data_root
    from mtdepth.data.driveworld.store import available_cores
    from mtdepth.data.pack.manifest import is_pack
    from mtdepth.data.pack.request import make_request
    from mtdepth.data.reader import open_reader

    if is_pack(told.root):
        raise ValueError(f"--root: expected raw files, found a pack at {told.root}")
    config = _config(told)
    reader = open_reader(config, data_root(config))
    request = make_request(
        config,
        reader,
        told.out,
        told.codec,
        num_workers=available_cores() if told.workers is None else told.workers,
        skip_broken=told.skip_broken,
    )
    return request, reader


def _config(told: argparse.Namespace) -> DataConfig:
    """Of the raw files."""
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


def _verify(told: argparse.Namespace) -> int:
    from mtdepth.data.driveworld.store import available_cores
    from mtdepth.data.pack.manifest import read_manifest
    from mtdepth.data.pack.summary import Progress
    from mtdepth.data.pack.verify import verify

    progress = Progress(read_manifest(told.pack).num_frames)
    workers = available_cores() if told.workers is None else told.workers
    problems = verify(told.pack, workers, progress.hear_finding)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return DAMAGED
    print(f"{told.pack}: every byte is as it was written")
    return 0


def _show(root: Path) -> int:
    from mtdepth.data.pack.manifest import read_manifest
    from mtdepth.data.pack.summary import describe

    manifest = read_manifest(root)
    print(describe(root, manifest))
    for drive in manifest.left_out:
        print(f"left out: {drive}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
