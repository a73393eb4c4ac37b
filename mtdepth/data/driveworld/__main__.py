"""Render a world: `python -m mtdepth.data.driveworld --out data/driveworld`."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mtdepth.data.driveworld import DriveworldConfig
from mtdepth.errors import in_words

BAD_INPUT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when the world is there, 2 when the input is bad."""
    from mtdepth.data.driveworld import store

    args = _parser().parse_args(argv)
    try:
        config = _config(args)
        if store.holds(config, args.out):
            print(f"{args.out} already holds driveworld {config.fingerprint()}")
            return 0
        start = time.perf_counter()
        store.ensure(config, args.out, workers=args.workers, progress=_progress)
    except (ValueError, OSError) as error:
        print(in_words(error, "driveworld"), file=sys.stderr)
        return BAD_INPUT
    seconds = time.perf_counter() - start
    print(f"{args.out} holds driveworld {config.fingerprint()}, rendered in {seconds:.1f} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = DriveworldConfig()
    parser = argparse.ArgumentParser(prog="driveworld", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory of the data set")
    for split in ("train", "val", "test"):
        default = getattr(defaults, f"num_{split}_drives")
        name, text = f"--{split}-drives", f"drives to {split} on (default {default})"
        parser.add_argument(name, type=int, default=default, metavar="N", help=text)
    frames = f"frames a drive (default {defaults.num_frames})"
    parser.add_argument("--frames", type=int, default=defaults.num_frames, metavar="N", help=frames)
    size = f"{defaults.width}x{defaults.height}"
    parser.add_argument("--size", default=size, help=f"width x height in pixels (default {size})")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="which world (default 0)")
    parser.add_argument("--no-lidar", action="store_true", help="leave out velodyne scans")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: all cores)")
    return parser


def _config(args: argparse.Namespace) -> DriveworldConfig:
    size = re.fullmatch(r"(\d+)x(\d+)", args.size)
    if size is None:
        raise ValueError(f"expected --size WIDTHxHEIGHT such as 192x64, found {args.size!r}")
    return DriveworldConfig(
        width=int(size[1]),
        height=int(size[2]),
        num_train_drives=args.train_drives,
        num_val_drives=args.val_drives,
        num_test_drives=args.test_drives,
        num_frames=args.frames,
        seed=args.seed,
        lidar=not args.no_lidar,
    )


def _progress(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\rdriveworld: {done}/{total} drives", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
