"""Runs a study: one Ray Tune run for search and confirmation, then the test split."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial
from rich.console import Console
from rich.text import Text

from study.calibration import measure, plan_cost
from study.checkpoint import find_checkpoint
from study.clustering import Clustering, keep_choices
from study.cost import Cost
from study.events import Dealt, EpochEnded, now
from study.examination import examine, finalists, open_test
from study.extension import differences, extend, refuse_differences
from study.full_disk import full_disk_told
from study.keeping import phase_to_test
from study.ledger import Ledger, refuse_taken
from study.limits import limit_in_words, limits_of
from study.manifest import make_manifest
from study.optuna_storage import check_storage
from study.plan import make_plan
from study.preflight import check_data, check_software, resolve_objectives, tell_missing
from study.progress import Progress
from study.ray_session import ray_session
from study.recorder import Recorder
from study.records import TrialRecord
from study.report import write_report
from study.scheduler import ArmScheduler
from study.searcher import ArmSearcher
from study.space import Objective, Space
from study.stopping import own_interrupts, stoppable
from study.tracking.tracker import Tracker
from study.trainable import Mtdepth, Split, Trainable, keep_test_shut
from study.worker import run_trial

RAY_DIRECTORY = "ray"
"""Within the study directory: what Ray Tune writes; gone when the study has ended."""
NUM_RETRIES = 2
"""How often a trial goes on from its checkpoint after its worker or node was lost."""


class StudyFailed(RuntimeError):
    """Nothing in the study came to its end."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a study is run; none of it changes a number."""

    address: str | None = None
    """Ray cluster; left out, Ray is started on this machine."""
    concurrency: int | None = None
    """Trials at once; left out, as many as there is room for."""
    trainable: Trainable | None = None
    """What is trained; left out, what the space is about."""
    tracks: bool = True
    """Whether MLflow hears of it."""
    calibrates: bool = False
    """Whether it is measured first what it would cost, for the report to say how that came out."""


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
        DiskFull: there is no room for what it writes; it can go on by `resume_study`.
        KeyboardInterrupt: it was interrupted, and can go on by `resume_study`.
    """
    refuse_taken(out)
    settings = settings or Settings()
    console = Console(highlight=False)
    say = _say(console)
    say(f"Study {space.study}: {space.question}")
    subject = settings.trainable or _subject(space, out)
    check_software(space, subject)
    check_storage(space)
    summaries, data = check_data(space, subject, say)
    objectives = resolve_objectives(space, summaries, say)
    tell_missing(space, summaries, say)
    told = {arm: objective.model_dump() for arm, objective in objectives.items()}
    with (
        full_disk_told(out),
        ray_session(space.resources, settings.address, settings.concurrency) as slots,
    ):
        manifest = make_manifest(space.study, told, data)
        if settings.calibrates:
            manifest["planned"] = measure(space, subject, slots, say).told()
        ledger = Ledger.create(out, space, manifest)
        return _Study(ledger, settings, subject, console, slots).run()


def plan_study(space: Space, settings: Settings) -> Cost:
    """What a study would cost, by a few steps of each arm; nothing is left but rendered data.

    Raises:
        ValueError: the data or the cluster is not as it should be.
    """
    with tempfile.TemporaryDirectory(prefix="study-") as directory:
        subject = settings.trainable or _subject(space, Path(directory))
        say = _say(Console(highlight=False))
        return plan_cost(space, subject, say, settings.address, settings.concurrency)


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
    if not extends:
        refuse_differences(directory, differences(Ledger.open(directory).space, space))
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
        check_storage(ledger.space)
        check_data(ledger.space, subject, _say(console))
        with (
            full_disk_told(directory),
            ray_session(ledger.space.resources, settings.address, settings.concurrency) as slots,
        ):
            return _Study(ledger, settings, subject, console, slots).run()
    finally:
        ledger.close()


class _Study:
    """A study under way: the parts that hear of its ledger's events, and the order of its phases.

    What an earlier session did is replayed to each part from the ledger before anything runs.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        subject: Trainable,
        console: Console,
        num_slots: int,
    ) -> None:
        self.ledger, self.settings, self.subject = ledger, settings, subject
        space, objectives = ledger.space, _objectives(ledger)
        self.limits = limits_of(space)
        self.searcher = ArmSearcher(
            space,
            objectives,
            journal=ledger.directory / "optuna.log",
            study_id=ledger.manifest["study_id"],
            max_running=num_slots,
            is_spent=self.limits.spent,
            emit=ledger.append,
        )
        self.scheduler = ArmScheduler(space.scheduler, objectives, self.limits.cuts)
        self.recorder = Recorder(ledger, self.scheduler)
        made = make_plan(space)
        self.progress = Progress(
            console=console,
            objectives=ledger.objectives(),
            num_trials=made.num_trials,
            num_epochs=made.max_epochs,
            concurrency=num_slots,
        )
        self.say = self.progress.say
        self._replay()
        ledger.listeners += [self.limits.apply, self.searcher.apply, self.progress.hear]
        self._take_up()

    def run(self) -> Path:
        """Search and confirmation, the test split, the report."""
        ledger = self.ledger
        tracker = Tracker(ledger, self.say) if self.settings.tracks else None
        try:
            with stoppable(ledger.directory), self.progress.shown():
                if not self.searcher.is_finished:
                    with own_interrupts(), keep_test_shut():
                        self._train()
                self._test()
            shutil.rmtree(ledger.directory / RAY_DIRECTORY, ignore_errors=True)
            if not ledger.manifest.get("ended"):
                ledger.update_manifest(ended=now(), actual=self._actual())
            ledger.flush()
            self.say("Writing the report.")
            write_report(ledger.directory)
        finally:
            if tracker is not None:
                tracker.close()
            ledger.close()
        return ledger.directory

    def _replay(self) -> None:
        dealt: dict[str, Dealt] = {}
        for event in self.ledger.events():
            self.searcher.apply(event)
            self.progress.replay(event)
            if isinstance(event, Dealt):
                dealt[event.trial_key] = event
            elif isinstance(event, EpochEnded):
                self.scheduler.replay(dealt[event.trial_key], event)
            self.limits.apply(event)

    def _take_up(self) -> None:
        """Sees to what an earlier session left unended: what is not stopped already, goes on."""
        left = {k: r for k, r in self.ledger.records.items() if r.ended is None}
        for key in [key for key in left if key in self.scheduler.stopped]:
            self.recorder.end(left.pop(key).dealt, "pruned")
        for key in [key for key in left if key in self.scheduler.cut]:
            self.recorder.end(left.pop(key).dealt, "cut")
        self.searcher.resume({key: self._checkpoint(record) for key, record in left.items()})

    def _checkpoint(self, record: TrialRecord) -> str | None:
        """Where an interrupted trial goes on; from its start, if its checkpoint is gone."""
        if record.checkpoint is None:
            return None
        found = self.ledger.directory.resolve() / record.checkpoint
        return str(found) if found.is_dir() else None

    def _train(self) -> None:
        """Both training phases, as one run of Ray Tune.

        Raises:
            KeyboardInterrupt: Ray Tune came back with trials left.
        """
        directory, space = self.ledger.directory.resolve(), self.ledger.space
        function = tune.with_parameters(
            run_trial,
            subject=self._prepared("val"),
            home=str(Path.cwd()),
            out=str(directory),
            inner=space.inner_search,
        )
        resources = {"cpu": space.resources.cpus, "gpu": space.resources.gpus}
        session = f"session-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S-%f')}"
        tune.Tuner(
            tune.with_resources(function, resources),
            tune_config=tune.TuneConfig(
                search_alg=self.searcher,
                scheduler=self.scheduler,
                num_samples=-1,
                reuse_actors=True,
                trial_name_creator=lambda trial: trial.trial_id,
                trial_dirname_creator=_directory_name,
            ),
            run_config=tune.RunConfig(
                name=session,
                storage_path=str(directory / RAY_DIRECTORY),
                callbacks=[self.recorder],
                failure_config=tune.FailureConfig(max_failures=NUM_RETRIES),
                verbose=0,
            ),
        ).fit()
        if not self.searcher.is_finished:
            raise KeyboardInterrupt

    def _test(self) -> None:
        """The test split, for what was trained to its end.

        Raises:
            StudyFailed: nothing was.
        """
        space, records = self.ledger.space, self.ledger.records
        best = [found for arm in space.arms if (found := self.searcher.best(arm))]
        cut_off, arms = self._cut_off(), [dealt.arm for dealt in best]
        phase = phase_to_test(space, records.values(), arms, is_cut_off=cut_off is not None)
        trained = finalists(self.ledger, [dealt.trial_key for dealt in best], phase)
        if not trained:
            failed = [record for record in self.ledger.records.values() if record.error]
            why = f"; {failed[0].dealt.trial_key}: {failed[0].error}" if failed else ""
            raise StudyFailed(
                f"no training came to its end, so there is nothing to report; "
                f"{self.ledger.directory}/trials.parquet says why of each{why}"
            )
        self.ledger.update_manifest(tested_phase=phase, cut_off=cut_off)
        if any(record.test is None for record in trained):
            open_test(self.ledger, len(trained), self.say)
            examine(self.ledger, trained, self._prepared("test"), self.say)
        if self.ledger.space.kind == "clustering":
            keep_choices(self.ledger, trained)

    def _cut_off(self) -> dict[str, Any] | None:
        """What the budget put an end to; None where the study had done all that it was to do."""
        spent = self.limits.spent()
        was_cut = any(record.status == "cut" for record in self.ledger.records.values())
        if spent is None or not (self.searcher.has_undone or was_cut):
            return None
        told = limit_in_words(self.ledger.space.budget, spent)
        self.say(f"The budget is spent: {told}.")
        confirms = any(record.phase == "confirm" for record in self.ledger.records.values())
        return {"limit": told, "phase": "confirm" if confirms else "search"}

    def _actual(self) -> dict[str, float]:
        """What the study has cost; memory is what its last session saw."""
        files = (p for p in self.ledger.directory.rglob("*") if p.is_file())
        return {
            **self.limits.used,
            "disk_bytes": sum(path.stat().st_size for path in files),
            "memory_bytes": self.recorder.memory_bytes,
        }

    def _prepared(self, split: Split) -> Trainable:
        """What is trained, with all that its trials share on a split."""
        if isinstance(self.subject, Clustering):
            return self.subject.prepared(split, self.ledger.space.resources)
        return self.subject


def _subject(space: Space, directory: Path) -> Trainable:
    """What the trials of a space train, or cluster.

    Raises:
        ValueError: the checkpoint of a clustering study is not said, or can't be had.
    """
    if space.kind == "training":
        return Mtdepth()
    checkpoint = find_checkpoint(space.checkpoint, directory / "checkpoint")
    return Clustering(checkpoint=checkpoint, directory=directory / "embeddings")


def _objectives(ledger: Ledger) -> dict[str, Objective]:
    told = ledger.manifest["objectives"]
    return {arm: Objective.model_validate(told[arm]) for arm in ledger.space.arms}


def _directory_name(trial: Trial) -> str:
    return str(trial.config["dealt"].trial_key)


def _say(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(Text(line), soft_wrap=True)
