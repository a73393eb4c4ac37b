"""Pictures of what the arms predict for the same test images, drawn after all are judged."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import ray

from study.choice import choose_images
from study.examination import cause_of, judging, kept_model
from study.files import write_atomically
from study.head_files import study_files
from study.ledger import Ledger
from study.records import TrialRecord
from study.shown import DIRECTORY, INDEX, ShownImage, read_images
from study.trainable import Trainable
from study.worker import draw


def show(
    ledger: Ledger, trained: Sequence[TrialRecord], trainable: Trainable, say: Callable[[str], None]
) -> None:
    """Draws what one model of each arm, that of the first seed, predicts for the chosen images.

    The images are written to `shown/images.json`, the pictures of an arm to `shown/<arm>/`,
    whole or not at all. What is there already is not drawn again. An arm that cannot be drawn is
    told and left out: no study fails for want of a picture.
    """
    models = _first_models(trained)
    directory = ledger.directory / DIRECTORY
    images = _chosen(ledger, trained)
    if read_images(ledger.directory) != images:
        shutil.rmtree(directory, ignore_errors=True)
    missing = {arm: r for arm, r in models.items() if not (directory / arm).is_dir()}
    if not images or not missing:
        return
    say(f"Drawing {len(images)} test images for each arm.")
    write_atomically(directory / INDEX, json.dumps([asdict(one) for one in images], indent=2))
    task = ray.remote(draw)
    shared, names = ray.put(trainable), [one.image for one in images]
    files = study_files(ledger.directory)
    drawn = {
        arm: task.options(**judging(ledger, record)).remote(
            shared, kept_model(ledger, record, files), str(Path.cwd()), names
        )
        for arm, record in missing.items()
    }
    for arm, ref in drawn.items():
        try:
            _keep(directory / arm, ray.get(ref))
        except (ray.exceptions.RayError, OSError) as error:
            say(f"No pictures of {arm}: {cause_of(error)}")


def _first_models(trained: Sequence[TrialRecord]) -> dict[str, TrialRecord]:
    """By arm, the judged model of the smallest seed."""
    models: dict[str, TrialRecord] = {}
    for record in sorted(trained, key=lambda one: one.dealt.seed):
        if record.test is not None:
            models.setdefault(record.dealt.arm, record)
    return models


def _chosen(ledger: Ledger, trained: Sequence[TrialRecord]) -> list[ShownImage]:
    judged = {
        arm: [r.test for r in trained if r.test is not None and r.dealt.arm == arm]
        for arm in ledger.space.arms
    }
    return choose_images(ledger.space, judged)


def _keep(directory: Path, files: dict[str, bytes]) -> None:
    """Writes a directory of files, whole or not at all."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".drawn-") as name:
        scratch = Path(name, "whole")
        scratch.mkdir()
        for file, content in files.items():
            (scratch / file).write_bytes(content)
        scratch.rename(directory)
