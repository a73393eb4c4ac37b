"""`python -m mtdepth.checkpoint import`: a trained model of monodepth2 becomes a checkpoint."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mtdepth.errors import in_words
from mtdepth.monodepth2 import import_model

STEREO_SCALE = 5.4
"""Metres that a unit of depth stands for after stereo training, which takes KITTI's cameras to be
0.1 apart: they are 0.54 m apart."""

_DESCRIPTION = """\
Imports what monodepth2 trained with ResNet-18: encoder.pth, depth.pth, pose_encoder.pth and
pose.pth. The checkpoint gives the same disparities and poses. A training that resumes from it
begins at epoch 0 with a fresh optimizer.
"""


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(prog="python -m mtdepth.checkpoint", allow_abbrev=False)
    command = made.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "import", help="monodepth2's files to a checkpoint", description=_DESCRIPTION
    )
    command.add_argument(
        "--from",
        metavar="DIR",
        dest="source",
        type=Path,
        required=True,
        help="directory of monodepth2's files",
    )
    command.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="checkpoint directory to write"
    )
    command.add_argument(
        "--data-root", metavar="DIR", type=Path, help="KITTI raw, if the model is to be judged"
    )
    command.add_argument(
        "--split", metavar="NAME", default="eigen_zhou", help="its lists (eigen_zhou)"
    )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns its exit code.

    Args:
        arguments: without the program's name; left out, those of the process.
    """
    told = parser().parse_args(arguments)
    try:
        config, stereo = import_model(told.source, told.out, told.data_root, told.split)
    except (ValueError, OSError) as error:
        print(in_words(error), file=sys.stderr)
        return 2
    print(f"{told.out}: depth and pose for images of {config.data.width}x{config.data.height}")
    if stereo:
        print(f"trained with stereo pairs: `mtdepth.predict --scale {STEREO_SCALE}` gives metres")
    return 0
