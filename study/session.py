"""A study under way: its phases, in one process, from wherever it was left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial
from rich.console import Console

from study.clustering import Clustering, keep_choices
from study.events import Dealt, EpochEnded, now
from study.examination import examine, finalists, open_test
from study.goals import Objective
from study.keeping import phase_to_test
from study.ledger import Ledger
from study.limits import limit_in_words, limits_of
from study.placement import bundle_of
from study.plan import make_plan
from study.progress import Progress
from study.recorder import NUM_RETRIES, Recorder
from study.report import write_report
from study.results import Results
from study.scheduler import ArmScheduler
from study.searcher import ArmSearcher
from study.showing import show
from study.space import Space
from study.stopping import own_interrupts, stoppable
from study.storage import open_storage
from study.system_metrics import MIB
from study.tracking.tracker import Tracker
from study.trainable import Split, Trainable, keep_test_shut
from study.worker import run_trial

RAY_DIRECTORY = "ray"
"""Within the storage: what Ray Tune writes; gone when the study has ended."""


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
    tells: Callable[[Results], None] | None = None
    """Hears what was found, once the report is written."""
    storage: str | None = None
    """Where epoch checkpoints go that need not be kept: `s3://bucket/prefix`; left out, to the
    study directory."""
    calibrates: bool = False
    """Whether it is measured first what it would cost, for the report to say how that came out."""


class Session:
    """A study under way: the parts that hear of its ledger's events, and the order of its phases.

    What an earlier session did is replayed to each part from the ledger before anything runs.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        subject: Trainable,
        console: Console,
        at_once: Mapping[str, int],
    ) -> None:
        self.ledger, self.settings, self.subject = ledger, settings, subject
        space, objectives = ledger.space, _objectives(ledger)
        self.limits = limits_of(space)
        self.searcher = ArmSearcher(
            space,
            objectives,
            journal=ledger.directory / "optuna.log",
            study_id=ledger.manifest["study_id"],
            max_running=max(at_once.values()),
            is_spent=self.limits.spent,
            emit=ledger.append,
        )
        self.scheduler = ArmScheduler(space.scheduler, objectives, self.limits.cuts)
        made = make_plan(space)
        self.progress = Progress(
            console=console,
            objectives=ledger.objectives(),
            num_trials=made.num_trials,
            num_epochs=made.max_epochs,
            at_once=at_once,
        )
        self.say = self.progress.say
        told = ledger.manifest
        self.storage = open_storage(
            ledger.directory, told.get("storage"), told["study_id"], self.say
        )
        self.recorder = Recorder(
            ledger, self.scheduler, self.storage, self.searcher.best, self.searcher.resume
        )
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
            self.storage.remove(RAY_DIRECTORY)
            if not ledger.manifest.get("ended"):
                ledger.update_manifest(ended=now(), actual=self._actual())
            ledger.flush()
            self.say("Writing the report.")
            found = write_report(ledger.directory)
        finally:
            if tracker is not None:
                tracker.close()
            ledger.close()
        if self.settings.tells is not None:
            self.settings.tells(found)
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
        self.searcher.resume(
            {key: self.storage.find(record.checkpoint) for key, record in left.items()}
        )

    def _train(self) -> None:
        """Both training phases, as one run of Ray Tune.

        Raises:
            KeyboardInterrupt: Ray Tune came back with trials left.
        """
        space, storage = self.ledger.space, self.storage
        function = tune.with_parameters(
            run_trial,
            subject=self._prepared("val"),
            home=str(Path.cwd()),
            out=str(self.ledger.directory.resolve()),
            inner=space.inner_search,
            pictures=space.pictures.every_epochs if space.kind == "training" else 0,
            files=storage.files,
        )
        session = f"session-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S-%f')}"
        tune.Tuner(
            tune.with_resources(function, _placed(space)),
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
                storage_path=storage.path(RAY_DIRECTORY),
                storage_filesystem=storage.files,
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
        show(self.ledger, trained, self.subject, self.say)
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
        """What the study has cost; memory is the most that any trial has held."""
        files = (p for p in self.ledger.directory.rglob("*") if p.is_file())
        return {
            **self.limits.used,
            "disk_bytes": sum(path.stat().st_size for path in files),
            "memory_bytes": self._most("memory_peak_mib"),
            "device_memory_bytes": self._most("gpu_memory_peak_mib"),
        }

    def _most(self, name: str) -> float:
        """The largest value of a system metric, in bytes; 0 where none was measured."""
        epochs = (epoch for record in self.ledger.records.values() for epoch in record.epochs)
        return MIB * max((epoch.system.get(name, 0.0) for epoch in epochs), default=0.0)

    def _prepared(self, split: Split) -> Trainable:
        """What is trained, with all that its trials share on a split."""
        if isinstance(self.subject, Clustering):
            return self.subject.prepared(split, self.ledger.space.resources)
        return self.subject


def _objectives(ledger: Ledger) -> dict[str, Objective]:
    told = ledger.manifest["objectives"]
    return {arm: Objective.model_validate(told[arm]) for arm in ledger.space.arms}


def _placed(space: Space) -> Callable[[dict[str, Any]], tune.PlacementGroupFactory]:
    """What a trial of Ray Tune occupies, by its arm; one bundle is one node."""
    return lambda config: tune.PlacementGroupFactory(
        [bundle_of(space.resources_of(config["dealt"].arm))]
    )


def _directory_name(trial: Trial) -> str:
    """One that goes on must not write over what it goes on from."""
    key = str(trial.config["dealt"].trial_key)
    return key if trial.config["resume_from"] is None else f"{key}-{trial.trial_id}"
