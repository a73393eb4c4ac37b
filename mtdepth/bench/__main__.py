"""`python -m mtdepth.bench`: how long a training step takes, and where its time goes."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from mtdepth.bench.measure import Measured, measure
from mtdepth.config import TrainConfig
from mtdepth.data.driveworld import DriveworldConfig
from mtdepth.device import best_device
from mtdepth.errors import in_words

WORLD = DriveworldConfig(
    width=1248, height=384, num_train_drives=3, num_val_drives=1, num_test_drives=1,
    num_frames=6, lidar=False, supersampling=1,
)  # fmt: skip
"""Nearly as large as KITTI's images; rendered below `data` where it is missing."""
MODES: dict[str, dict[str, Any]] = {
    "st": {"tasks": ["depth"], "attention": "none", "pose": {"encoder": "separate"}},
    "mt": {"tasks": ["depth", "instances"]},
}
"""monodepth2's network, which learns depth and pose; and the study's, which learns all tasks."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line: 0 when it has measured, 2 for bad input.

    Args:
        arguments: without the program's name; left out, those of the process.
    """
    told = _parser().parse_args(arguments)
    try:
        config = _config(told)
        found = measure(config, torch.device(told.device), told.rounds, reference=told.reference)
    except (ValueError, OSError) as error:
        print(in_words(error, "bench"), file=sys.stderr)
        return 2
    if told.json:
        print(json.dumps({"machine": _machine(told.device), **found.told()}, indent=2))
    else:
        print(_machine(told.device))
        print(_table(found, told))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mtdepth.bench", description=__doc__)
    add = parser.add_argument
    add("--mode", choices=MODES, default="mt", help="depth alone, or depth and instances (mt)")
    add("--size", default="192x640", help="height x width (192x640)")
    add("--encoder-width", type=int, default=64, help="channels of its first stage (64)")
    add("--decoder-width", type=int, default=16, help="channels of its last stage (16)")
    add("--batch-size", type=int, default=2, help="triplets a step (2)")
    add("--rounds", type=int, default=5, help="how often each work is timed (5)")
    add("--device", default=str(best_device()), help="cpu or cuda; the GPU, if there is one")
    add("--precision", choices=["fp32", "bf16"], default="fp32")
    add("--reference", action="store_true", help="also the same step written plainly")
    add("--kitti", type=Path, help="KITTI raw's directory, instead of driveworld's")
    add("--split", default="sample", help="of it (sample)")
    add("--seed", type=int, default=0)
    add("--json", action="store_true", help="tell all that was measured as JSON")
    return parser


def _config(told: argparse.Namespace) -> TrainConfig:
    height, _, width = told.size.partition("x")
    data: dict[str, Any] = {"height": height, "width": width}
    if told.kitti is None:
        data |= {"name": "driveworld", "driveworld": WORLD}
    else:
        data |= {"name": "kitti", "root": told.kitti, "split": told.split}
    return TrainConfig.model_validate(
        {
            **MODES[told.mode],
            "data": data,
            "encoder": {"weights": "none", "width": told.encoder_width},
            "decoder": {"width": told.decoder_width},
            "batch_size": told.batch_size,
            "precision": told.precision,
            "seed": told.seed,
        }
    )


def _machine(device: str) -> str:
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.machine()
    threads = torch.get_num_threads()
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return (
        f"{name}, {threads} of {os.cpu_count()} cores, load {load}, torch {torch.__version__}, "
        f"{'seconds of the core' if threads == 1 and device == 'cpu' else 'wall seconds'}"
    )


def _table(found: Measured, told: argparse.Namespace) -> str:
    triplets = told.batch_size
    widths = f"{told.encoder_width} to {told.decoder_width} channels"
    lines = [
        f"{told.mode} at {told.size}, {widths}, {triplets} triplets a step, {told.precision}",
        "",
    ]
    for name, times in found.steps.items():
        lines.append(
            f"{name:22} {times.best * 1e3:9.1f} ms at best {times.median * 1e3:9.1f} median "
            f"{triplets / times.best:7.2f} triplets/s"
        )
    lines += ["", "where a step's time goes (median)"]
    total = sum(found.parts.values())
    for name, seconds in found.parts.items():
        lines.append(f"{name:22} {seconds * 1e3:9.1f} ms {seconds / total:6.1%}")
    arithmetic = found.flops / found.flops_a_second
    memory = found.least_bytes / found.bytes_a_second
    best = found.steps["step"].best
    lines += [
        "",
        f"arithmetic floor       {arithmetic * 1e3:9.1f} ms: {found.flops / 1e9:.0f} GFLOP at "
        f"{found.flops_a_second / 1e9:.0f} a second; the step takes {best / arithmetic:.2f} of it",
        f"memory floor           {memory * 1e3:9.1f} ms: {found.least_bytes / 1e9:.2f} GB at "
        f"{found.bytes_a_second / 1e9:.1f} a second; the step takes {best / memory:.2f} of it",
    ]
    for name, (slow, fast) in COMPARED.items():
        if slow in found.steps:
            best, median = (
                getattr(found.steps[slow], kind) / getattr(found.steps[fast], kind)
                for kind in ("best", "median")
            )
            lines.append(f"{name}: {best:.2f} times as fast (median {median:.2f})")
    for name, value in found.disagreement.items():
        lines.append(f"losses differ by {value:.1e}, {name}")
    return "\n".join(lines)


COMPARED = {
    "the plain step": ("plain step", "step"),
    "with loading and augmentation": ("plain whole", "whole"),
    "the same, files decoded by both": ("plain whole", "whole, decoded"),
}
"""Slow and fast, by what is told of them."""


if __name__ == "__main__":
    sys.exit(main())
