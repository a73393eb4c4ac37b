"""Starts a study, plans it, or goes on with it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from study.calibration import measure
from study.checkpoint import find_checkpoint
from study.clustering import Clustering
from study.cost import Cost
from study.extension import differences, extend, refuse_differences
from study.files import write_atomically
from study.ledger import Ledger, refuse_taken
from study.manifest import make_manifest, requirements
from study.optuna_storage import check_storage as check_database
from study.packing import settle, settled_as
from study.placement import rooms_for
from study.preflight import (
    check_data,
    check_software,
    refuse_other_data,
    resolve_objectives,
    tell_missing,
)
from study.ray_session import ray_session
from study.session import Session
from study.session import Settings as Settings
from study.session import StudyFailed as StudyFailed
from study.space import Space
from study.standstill import standstill_told
from study.storage import check_storage
from study.trainable import Mtdepth, Trainable


def run_study(space: Space, out: Path, settings: Settings | None = None) -> Path:
    """Runs a study from its question to its report.

    Args:
        space: the study.
        out: its directory, which must not hold a study yet.
        settings: how it is run.

    Returns:
        The study directory.

    Raises:
        ValueError: the data, the directory or the cluster is not as it should be.
        StudyFailed: no trial came to its end.
        Standstill: a disk is full, or a store is away; it can go on by `resume_study`.
        KeyboardInterrupt: it was interrupted, and can go on by `resume_study`.
    """
    refuse_taken(out)
    settings = settings or Settings()
    console = Console(highlight=False)
    say = _say(console)
    say(f"Study {space.study}: {space.question}")
    subject = settings.trainable or _subject(space, out)
    check_software(space, subject)
    check_database(space)
    check_storage(settings.storage)
    summaries, data = check_data(space, subject, say)
    objectives = resolve_objectives(space, summaries, say)
    tell_missing(space, summaries, say)
    told = {arm: objective.model_dump() for arm, objective in objectives.items()}
    with (
        standstill_told(out),
        ray_session(space.resources, settings.address),
    ):
        space, packing = settle(space, subject, say)
        at_once = rooms_for(space, settings.concurrency)
        manifest = make_manifest(space.study, told, data)
        if settings.storage is not None:
            manifest["storage"] = settings.storage
        if packing is not None:  # it was asked for
            manifest["packing"] = packing
        if settings.calibrates:
            manifest["planned"] = measure(space, subject, at_once, say).told()
        ledger = Ledger.create(out, space, manifest)
        write_atomically(out / "requirements.txt", requirements())
        return Session(ledger, settings, subject, console, at_once).run()


def plan_study(space: Space, settings: Settings) -> Cost:
    """What a study would cost, by a few steps of each arm; nothing is left but rendered data.

    Raises:
        ValueError: the data or the cluster is not as it should be.
    """
    with tempfile.TemporaryDirectory(prefix="study-") as directory:
        subject = settings.trainable or _subject(space, Path(directory))
        say = _say(Console(highlight=False))
        check_software(space, subject)
        check_data(space, subject, say)
        with ray_session(space.resources, settings.address):
            space, _ = settle(space, subject, say)
            at_once = rooms_for(space, settings.concurrency)
            return measure(space, subject, at_once, say)


def check_study(directory: Path) -> None:
    """Sees that there is a study in a directory.

    Raises:
        ValueError: there is none.
    """
    Ledger.open(directory)


def take_space(
    directory: Path, space: Space, settings: Settings | None = None, *, extends: bool
) -> None:
    """Holds a space against that of a study which is to go on.

    Args:
        directory: of the study.
        space: another, or the same.
        settings: how it is run.
        extends: whether the study may take it over, if it is the same and more.

    Raises:
        ValueError: it is another one, with a line for each difference.
    """
    old = Ledger.open(directory).space
    space = settled_as(old, space)
    if not extends:
        refuse_differences(directory, differences(old, space))
        return
    ledger = Ledger.open(directory, writable=True)
    try:
        subject = settings.trainable if settings and settings.trainable else None
        extend(ledger, space, subject or _subject(space, directory), _say(Console(highlight=False)))
    finally:
        ledger.close()


def resume_study(directory: Path, settings: Settings | None = None) -> Path:
    """Goes on with a study that was interrupted, as if it had not been; see `run_study`."""
    settings = settings or Settings()
    console = Console(highlight=False)
    ledger = Ledger.open(directory, writable=True)
    try:
        subject = settings.trainable or _subject(ledger.space, directory)
        check_software(ledger.space, subject)
        check_database(ledger.space)
        check_storage(ledger.manifest.get("storage"))
        _, data = check_data(ledger.space, subject, _say(console))
        refuse_other_data(ledger.manifest.get("data") or {}, data)
        with (
            standstill_told(directory),
            ray_session(ledger.space.resources, settings.address),
        ):
            at_once = rooms_for(ledger.space, settings.concurrency)
            return Session(ledger, settings, subject, console, at_once).run()
    finally:
        ledger.close()


def _subject(space: Space, directory: Path) -> Trainable:
    """What the trials of a space train, or cluster.

    Raises:
        ValueError: the checkpoint of a clustering study is not said, or can't be had.
    """
    if space.kind == "training":
        return Mtdepth()
    checkpoint = find_checkpoint(space.checkpoint, directory / "checkpoint")
    return Clustering(checkpoint=checkpoint, directory=directory / "embeddings")


def _say(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(Text(line), soft_wrap=True)
