"""`python -m mtdepth.data.teacher`: trains a teacher, and labels images with it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from mtdepth.data.teacher.arguments import label_config, parser, teacher_config
from mtdepth.data.teacher.progress import ProgressLine
from mtdepth.errors import in_words

BAD_INPUT, DIVERGED, INTERRUPTED = 2, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line: 0 when all is done, 2 for bad input, 1 when a training diverged, 130
    when it was interrupted.

    Args:
        arguments: without the program's name; left out, those of the process.
    """
    from mtdepth.train import TrainingDiverged

    told, line = parser().parse_args(arguments), ProgressLine()
    try:
        (_train if told.command == "train" else _label)(told, line)
    except (ValueError, OSError, TrainingDiverged) as error:
        line.close()
        print(in_words(error, "teacher"), file=sys.stderr)
        return DIVERGED if isinstance(error, TrainingDiverged) else BAD_INPUT
    except KeyboardInterrupt:
        line.close()
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    return 0


def _train(told: argparse.Namespace, line: ProgressLine) -> None:
    from mtdepth.data.teacher.training import fit

    config = teacher_config(told)

    def report(epoch: int, metrics: dict[str, float]) -> None:
        shown = ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        print(f"epoch {epoch}/{config.epochs}: {shown}", flush=True)

    fit(
        config,
        told.out,
        report,
        num_threads=told.threads,
        on_progress=lambda done, total: line.show("driveworld", done, total, "drives"),
        on_step=lambda done, total: line.show("teacher", done, total, "steps"),
    )
    print(f"{told.out} holds a teacher of {_count(config.epochs, 'epoch')}")


def _label(told: argparse.Namespace, line: ProgressLine) -> None:
    from mtdepth.data.teacher.checkpoint import load_teacher
    from mtdepth.data.teacher.jobs import Shard, drive_jobs, folder_jobs
    from mtdepth.data.teacher.writing import write_maps
    from mtdepth.device import best_device

    if (told.images is None) != (told.out is None) or (told.images is None) == (told.root is None):
        raise ValueError("expected either --root, or --images and --out")
    config, shard = label_config(told), Shard.parse(told.shard)
    jobs = drive_jobs(told.root, told.drives) if told.root else folder_jobs(told.images, told.out)
    mine = [job for drive in shard.take(jobs).values() for job in drive]
    missing = [job for job in mine if told.overwrite or not job.target.is_file()]
    num_instances = write_maps(
        load_teacher(told.checkpoint, best_device()),
        missing,
        config,
        batch_size=told.batch_size,
        num_threads=told.threads,
        on_progress=lambda done, total, left: line.show("teacher", done, total, "images", left),
    )
    kept = f"; {len(mine) - len(missing)} were there already" if len(missing) < len(mine) else ""
    print(f"{_count(len(missing), 'map')} with {_count(num_instances, 'instance')} written{kept}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


if __name__ == "__main__":
    sys.exit(main())
