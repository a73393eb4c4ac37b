"""The command line of the teacher, and the configurations that it stands for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mtdepth.data.teacher.config import LabelConfig, NetworkConfig, SourceConfig, TeacherConfig

_TRAIN = """\
Fine-tunes torchvision's Mask R-CNN on images with instance maps, saves it after each epoch and
judges it on the validation split. The same command goes on where a killed one was.
"""
_LABEL = """\
Labels images with instance maps: 16-bit PNGs of label_id * 1000 + k, 0 for background, with
Cityscapes' label ids. Maps that are there already are left alone, so that the same command goes on
where a killed one was. Any other teacher's maps can be put in their place.
"""


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(prog="python -m mtdepth.data.teacher", allow_abbrev=False)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(_command(commands, "train", "images with instance maps to a teacher", _TRAIN))
    _add_label(_command(commands, "label", "images to instance maps", _LABEL))
    return made


def teacher_config(told: argparse.Namespace) -> TeacherConfig:
    """What `train` was told; what it was not keeps its default."""
    source = _told(told, name="data", root="root", split="split", max_val_images="val_images")
    network = _told(told, name="network", weights="weights", sides="sides", max_side="max_side")
    rest = _told(told, epochs="epochs", batch_size="batch_size", lr_per_image="lr", seed="seed")
    return TeacherConfig(source=SourceConfig(**source), network=NetworkConfig(**network), **rest)


def label_config(told: argparse.Namespace) -> LabelConfig:
    """What `label` was told."""
    return LabelConfig(**_told(told, score="score", min_area="min_area", min_visible="min_visible"))


def _told(told: argparse.Namespace, **fields: str) -> dict[str, Any]:
    """The fields whose option was given."""
    values = {field: getattr(told, option) for field, option in fields.items()}
    return {field: value for field, value in values.items() if value is not None}


def _command(commands: Any, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=description, allow_abbrev=False
    )
    return made


def _add_train(command: argparse.ArgumentParser) -> None:
    config, source, network = TeacherConfig(), SourceConfig(), NetworkConfig()
    add = command.add_argument
    add("--out", metavar="DIR", type=Path, required=True, help="directory of the checkpoint")
    add("--data", metavar="NAME", help=f"driveworld, kitti or cityscapes ({source.name})")
    add("--root", metavar="DIR", type=Path, help="directory of the data, but for driveworld")
    add("--split", metavar="NAME", help="lists of frames, as in data.split (the data's own)")
    add("--network", metavar="NAME", help=f"resnet50, resnet50-v2 or small ({network.name})")
    add("--weights", metavar="W", help=f"coco, none (random), or a file ({network.weights})")
    add(
        "--side",
        metavar="N",
        dest="sides",
        type=int,
        nargs="+",
        help="shorter sides in pixels, one at random a step, the last in labelling "
        f"({min(network.sides)} to {max(network.sides)}; 128 for small)",
    )
    add("--max-side", metavar="N", type=int, help=f"longest side in pixels ({network.max_side})")
    add("--epochs", metavar="N", type=int, help=f"passes over the images ({config.epochs})")
    add("--batch-size", metavar="N", type=int, help=f"images a step ({config.batch_size})")
    rate = f"learning rate for each image of a batch ({config.lr_per_image})"
    add("--lr", metavar="R", type=float, help=rate)
    add("--val-images", metavar="N", type=int, help=f"to judge on ({source.max_val_images})")
    add("--seed", metavar="N", type=int, help=f"all that is random ({config.seed})")
    _add_threads(command)


def _add_label(command: argparse.ArgumentParser) -> None:
    config = LabelConfig()
    add = command.add_argument
    add("--checkpoint", metavar="DIR", type=Path, required=True, help="a trained teacher")
    add("--root", metavar="DIR", type=Path, help="KITTI raw: maps go beside the images")
    add("--drives", metavar="GLOB", default="*", help="only drives of such names (*)")
    add("--images", metavar="PATH", type=Path, help="in place of --root: an image or a directory")
    add("--out", metavar="DIR", type=Path, help="where the maps of --images go")
    add("--shard", metavar="I/N", default="1/1", help="the I-th of N shares of drives (1/1)")
    add("--score", metavar="S", type=float, help=f"lowest score, exclusive ({config.score})")
    add("--min-area", metavar="N", type=int, help=f"fewest visible pixels ({config.min_area})")
    add(
        "--min-visible",
        metavar="S",
        type=float,
        help=f"smallest visible share, the rest under better ones ({config.min_visible})",
    )
    add("--batch-size", metavar="N", type=_count, default=4, help="images a step (4)")
    add("--overwrite", action="store_true", help="replace maps that are there")
    _add_threads(command)


def _add_threads(command: argparse.ArgumentParser) -> None:
    text = "how many read images ahead, at no difference to the result (4)"
    command.add_argument("--threads", metavar="N", type=_natural, default=4, help=text)


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number, found {text!r}")
    return int(text)


def _count(text: str) -> int:
    if not _natural(text):
        raise argparse.ArgumentTypeError("expected 1 or more, found 0")
    return int(text)
