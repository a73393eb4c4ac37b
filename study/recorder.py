"""Puts what Ray Tune tells of the trials into the ledger, and looks after their checkpoints."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ray import cloudpickle
from ray.tune import Callback
from ray.tune.experiment import Trial

from study.events import Dealt, EpochEnded, TrialEnded
from study.files import write_atomically
from study.keeping import may_be_tested
from study.ledger import Ledger
from study.pictures import keep_picture
from study.scheduler import ArmScheduler
from study.standstill import Standstill
from study.storage import Storage
from study.worker import DRAWN, FAILED, FATAL, FILES, PLACE, STANDSTILL, SYSTEM, TRACEBACK, TUNED

NUM_RETRIES = 2
"""How often a trial goes on from its checkpoint after its worker or node was lost."""


class Recorder(Callback):  # type: ignore[misc]  # ray is not typed
    """Ray Tune's callback of a study.

    Args:
        ledger: of the study.
        scheduler: knows which trials were stopped, and why.
        storage: where checkpoints are.
        best: the best search trial of an arm so far.
        resume: has trials go on as those that were interrupted, by their keys, each from a
            directory of the storage or from its start.
    """

    def __init__(
        self,
        ledger: Ledger,
        scheduler: ArmScheduler,
        storage: Storage,
        best: Callable[[str], Dealt | None],
        resume: Callable[[Mapping[str, str | None]], None],
    ) -> None:
        self._ledger = ledger
        self._scheduler = scheduler
        self._storage = storage
        self._best = best
        self._resume = resume
        self._num_starts = Counter[str]()
        self._num_dealt_again = Counter[str]()
        self._since: dict[str, float] = {}
        self._failures: dict[str, str] = {}

    def on_step_begin(self, **_: Any) -> None:
        """Many times a second: nodes that wait for a store say nothing of it."""
        self._storage.look()

    def on_trial_start(self, *, trial: Trial, **_: Any) -> None:
        """Its clock runs from here."""
        key = _dealt(trial).trial_key
        self._since[key] = time.monotonic()
        self._num_starts[key] += 1

    def on_trial_result(self, *, trial: Trial, result: dict[str, Any], **_: Any) -> None:
        """An epoch, or the reason of a failure.

        What the ledger has is taken out of the result: Ray Tune would keep means over the last
        epochs of each number in it, which was a third of what a trial took of memory.

        Raises:
            Standstill: the trial met what a person is to mend; it is left as one that was
                interrupted.
        """
        if STANDSTILL in result:
            raise Standstill(*result[STANDSTILL])
        dealt = _dealt(trial)
        if FAILED in result:
            self._failures[dealt.trial_key] = result[FAILED]
            self._keep_error(dealt.trial_key, result[TRACEBACK])
            if result.get(FATAL):
                trial.max_failures = 0
        elif "epoch" in result:
            path = f"{trial.storage.trial_fs_path}/{result['checkpoint_dir_name']}"
            checkpoint = self._storage.name(path)
            if lacking := self._storage.lacks(checkpoint, result[FILES]):
                raise Standstill(
                    f"{self._storage.path(checkpoint)}: expected all that epoch {result['epoch']} "
                    f"of {dealt.trial_key} has written, found no whole {', '.join(lacking)}",
                    "see that there is room, and that all nodes can write there",
                )
            if result[DRAWN]:
                keep_picture(
                    self._storage,
                    checkpoint,
                    self._ledger.directory,
                    dealt.trial_key,
                    result["epoch"],
                )
            event = EpochEnded(
                trial_key=dealt.trial_key,
                epoch=result["epoch"],
                metrics=result["metrics"],
                checkpoint=checkpoint,
                seconds=self._seconds(dealt.trial_key),
                tuned=result.get(TUNED, {}),
                system=result[SYSTEM],
                **result[PLACE],
            )
            self._ledger.append(event)
            for name in ("metrics", FILES, TUNED, SYSTEM, PLACE):
                result.pop(name, None)

    def on_trial_save(self, *, trial: Trial, **_: Any) -> None:
        """Ray Tune has taken note of the newest checkpoint: those before it can go."""
        epochs = self._ledger.records[_dealt(trial).trial_key].epochs
        for epoch in epochs[-3:-1]:
            self._remove(epoch.checkpoint)

    def on_trial_complete(self, *, trial: Trial, **_: Any) -> None:
        """Trained to its end, stopped early, or failed and said so."""
        dealt = _dealt(trial)
        num_epochs = self._ledger.records[dealt.trial_key].num_epochs
        if dealt.trial_key in self._failures:
            self.end(dealt, "failed", self._failures.pop(dealt.trial_key))
        elif dealt.trial_key in self._scheduler.stopped:
            self.end(dealt, "pruned")
        elif dealt.trial_key in self._scheduler.cut:
            self.end(dealt, "cut")
        elif num_epochs < dealt.num_epochs:
            self.end(dealt, "failed", f"ended after {num_epochs} of {dealt.num_epochs} epochs")
        else:
            self.end(dealt, "completed")

    def on_trial_error(self, *, trial: Trial, **_: Any) -> None:
        """Failed, after all retries that its kind of failure is worth.

        Ray Tune gives a trial up at once whose worker died while it waited for it, idle.
        """
        dealt = _dealt(trial)
        error = self._failures.pop(dealt.trial_key, None)
        if error is None:
            if self._has_retries(dealt.trial_key):
                self._num_dealt_again[dealt.trial_key] += 1
                checkpoint = self._ledger.records[dealt.trial_key].checkpoint
                self._resume({dealt.trial_key: self._storage.find(checkpoint)})
                return
            error = f"its worker failed {trial.num_failures} times: {_last_error(trial)}"
            self._keep_error(dealt.trial_key, Path(trial.error_file).read_text())
        self.end(dealt, "failed", error)

    def _has_retries(self, trial_key: str) -> bool:
        """Whether a trial that lost its worker has begun less often than it may."""
        return (
            self._num_starts[trial_key] <= NUM_RETRIES
            and self._num_dealt_again[trial_key] < NUM_RETRIES
        )

    def end(self, dealt: Dealt, status: Any, error: str | None = None) -> None:
        """Closes a trial; the model of one that may be tested is kept."""
        record = self._ledger.records[dealt.trial_key]
        last = record.checkpoint
        kept = None
        best = self._best(dealt.arm)
        if last is not None and may_be_tested(self._ledger, record, status, best):
            kept = self._keep(dealt.trial_key, last)
        seconds = self._seconds(dealt.trial_key)
        self._ledger.append(
            TrialEnded(
                trial_key=dealt.trial_key,
                status=status,
                error=error,
                checkpoint=kept,
                seconds=seconds,
            )
        )
        self._remove(last)

    def _keep(self, trial_key: str, checkpoint: str) -> str | None:
        """Copies a checkpoint to where it stays: whole, or not there."""
        if not self._storage.has(checkpoint):
            return None
        root = self._ledger.directory
        target = root / "checkpoints" / trial_key
        temporary = target.with_name(f".{trial_key}.tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        self._storage.fetch(checkpoint, temporary)
        shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
        return str(target.relative_to(root))

    def _keep_error(self, trial_key: str, text: str) -> None:
        write_atomically(self._ledger.directory / "errors" / f"{trial_key}.txt", text)

    def _remove(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            self._storage.remove(checkpoint)

    def _seconds(self, trial_key: str) -> float:
        """Since the trial's last report or start; 0 in a session that did not run it."""
        now = time.monotonic()
        seconds = now - self._since.get(trial_key, now)
        self._since[trial_key] = now
        return seconds


def _dealt(trial: Trial) -> Dealt:
    dealt: Dealt = trial.config["dealt"]
    return dealt


def _last_error(trial: Trial) -> str:
    """Why Ray Tune gave a trial up, in a line; its files have not joined the others yet."""
    if trial.pickled_error_file is None:
        text = Path(trial.error_file).read_text().strip()
        return text.splitlines()[-1]
    error = cloudpickle.loads(Path(trial.pickled_error_file).read_bytes())
    cause = getattr(error, "cause", None) or error
    first, *_ = [*str(cause).strip().splitlines(), "no reason given"]
    return f"{type(cause).__name__}: {first}"
