"""`python -m mtdepth.data.prepare`: a data set becomes a pack, which all trainings share."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtdepth.data.pack.arguments import config_of, num_workers, parser
from mtdepth.errors import in_words

if TYPE_CHECKING:
    from mtdepth.data.pack.entries import LeftOut
    from mtdepth.data.pack.request import Request
    from mtdepth.data.reader import Reader

BAD_INPUT, DAMAGED, INTERRUPTED = 2, 1, 130


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
    except (ValueError, OSError) as error:
        print(in_words(error), file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return INTERRUPTED


def _prepare(told: argparse.Namespace) -> int:
    from mtdepth.data.missing import WHERE
    from mtdepth.data.pack.summary import Progress, describe
    from mtdepth.data.pack.write import make_pack

    request, reader = _request(told)
    missing = request.plan.left_out
    _tell(missing)
    if missing:
        num_lost = sum(sum(drive.num_samples.values()) for drive in missing)
        print(f"left out: {num_lost} samples in all; {WHERE[told.command]}", file=sys.stderr)
        if told.strict:
            raise ValueError(f"expected all listed images, found {num_lost} samples that lack some")
    started = time.perf_counter()
    made = make_pack(request, reader, Progress(len(request.plan.frames)).hear)
    _tell(made.left_out[len(missing) :])
    print(describe(told.out, made))
    print(f"ready after {time.perf_counter() - started:.1f} s")
    return 0


def _tell(left_out: Sequence[LeftOut]) -> None:
    for drive in left_out:
        print(f"left out: {drive}", file=sys.stderr)


def _request(told: argparse.Namespace) -> tuple[Request, Reader]:
    from mtdepth.data.pack.manifest import is_pack
    from mtdepth.data.pack.request import make_request
    from mtdepth.data.reader import open_reader
    from mtdepth.data.root import data_root

    if is_pack(told.root):
        raise ValueError(f"--root: expected raw files, found a pack at {told.root}")
    config = config_of(told)
    reader = open_reader(config, data_root(config))
    request = make_request(
        config,
        reader,
        told.out,
        told.codec,
        num_workers=num_workers(told),
        skip_broken=told.skip_broken,
    )
    return request, reader


def _verify(told: argparse.Namespace) -> int:
    from mtdepth.data.pack.manifest import read_manifest
    from mtdepth.data.pack.summary import Progress
    from mtdepth.data.pack.verify import verify

    progress = Progress(read_manifest(told.pack).num_frames)
    problems = verify(told.pack, num_workers(told), progress.hear_finding)
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
