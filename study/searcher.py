"""Deals a study's trials: the search of each arm, evenly, then its confirmation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.storages import BaseStorage
from optuna.storages.journal import JournalStorage
from ray.tune.search import Searcher

from study.arm_search import ArmSearch
from study.events import Dealt, EpochEnded, Event, TrialEnded, decode, encode
from study.goals import Objective
from study.optuna_log import OptunaLog
from study.optuna_storage import forget_study, open_database
from study.settings import num_epochs_of, seed_of
from study.space import Space


@dataclass
class _Trial:
    """What the searcher keeps of a trial."""

    dealt: Dealt
    number: int
    """Of the trials of its phase and arm, from 0."""
    epoch: int = 0
    values: tuple[float, ...] = (math.nan,)
    """The objective after `epoch`, then what it is traded against."""
    tuned: dict[str, Any] = field(default_factory=dict)
    """What the inner search chose."""


class ArmSearcher(Searcher):  # type: ignore[misc]  # ray is not typed
    """Ray Tune's searcher of a study.

    Arms are dealt trials in turn, an arm that has had fewest first. When the search of an arm is
    over, its best configuration is trained with each seed of `confirm.seeds`; an arm whose every
    search trial failed has no best one, and gets none.

    Where trials learn from those before them (TPE, early stopping), an arm's search has no more
    trials running than its share of all, which arms with one trial leave to the others. With no
    more at once than there are such arms, that is one:
    what is proposed and what is stopped then does not depend on how many run at once.

    The searcher learns from the study's events (`apply`) alone, in live studies as in ones that
    go on: Ray Tune's own notices do not say whether a trial was stopped early, and come before
    the event is in the ledger.
    """

    def __init__(
        self,
        space: Space,
        objectives: Mapping[str, Objective],
        *,
        journal: Path | None = None,
        study_id: str = "",
        max_running: int = 1,
        is_spent: Callable[[], object] = lambda: None,
        emit: Callable[[Event], None] | None = None,
    ) -> None:
        """A searcher that has dealt nothing yet.

        Args:
            space: the study.
            objectives: what each arm is tuned for.
            journal: where Optuna's studies are kept, for optuna-dashboard, unless the space names
                a database. They are begun anew, as they are rebuilt from the events.
            study_id: tells this study's from others in a database.
            max_running: no more is dealt while so many trials run.
            is_spent: whether the budget is, so that nothing more is dealt.
            emit: puts the event of a deal into the ledger, which hands it on to `apply`.
        """
        super().__init__()
        self._space = space
        self._objectives = dict(objectives)
        self._max_running = max_running
        self._is_spent = is_spent
        self._emit = emit or self.apply
        self._history: list[Event] = []
        self._trials: dict[str, _Trial] = {}
        self._running: set[str] = set()
        self._interrupted: dict[str, str | None] = {}
        self._best: dict[str, tuple[tuple[float, ...], Dealt]] = {}
        self._confirmed: dict[str, Dealt] = {}
        """The first confirmed trial of each arm, which the others differ from by their seed alone,
        whatever an extended search finds."""
        self._num_dealt = {(phase, arm): 0 for phase in ("search", "confirm") for arm in space.arms}
        self._searches = _searches(space, self._objectives, journal, study_id)
        self._max_an_arm = self._share_of_an_arm()

    def best(self, arm: str) -> Dealt | None:
        """The best search trial of an arm so far, if it has one.

        Trials that trained for more epochs come before those that were stopped, then the better
        objective counts, then the earlier trial. A NaN objective never wins.
        """
        return self._best[arm][1] if arm in self._best else None

    @property
    def is_finished(self) -> bool:
        """Whether no trial runs, and none is left to deal."""
        return not self._running and not self._has_more()

    def resume(self, checkpoints: Mapping[str, str | None]) -> None:
        """Deals interrupted trials again, before any that is new.

        Args:
            checkpoints: for each key, the directory to go on from.
        """
        assert set(checkpoints) <= self._running
        self._interrupted |= checkpoints

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # noqa: ARG002
        """The next trial; None while it must wait for others to end; FINISHED after the last."""
        if len(self._running) - len(self._interrupted) >= self._max_running:
            return None
        if self._interrupted:
            key = next(iter(self._interrupted))
            return {"dealt": self._trials[key].dealt, "resume_from": self._interrupted.pop(key)}
        dealt = None if self._is_spent() else self._next_search() or self._next_confirm()
        if dealt is None:
            return None if self._running else str(Searcher.FINISHED)
        self._emit(dealt)
        return {"dealt": dealt, "resume_from": None}

    def apply(self, event: Event) -> None:
        """Learns of an event; hearing of a deal or an epoch again changes nothing."""
        if isinstance(event, Dealt):
            self._apply_dealt(event)
        elif isinstance(event, EpochEnded):
            self._apply_epoch(self._trials[event.trial_key], event)
        elif isinstance(event, TrialEnded):
            self._apply_ended(self._trials[event.trial_key], event)
        else:
            return
        self._history.append(event)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Ray Tune's notice; `apply` hears of it from the ledger."""

    def save(self, checkpoint_path: str) -> None:
        """Writes the events that it learned from."""
        Path(checkpoint_path).write_text("\n".join(encode(event) for event in self._history))

    def restore(self, checkpoint_path: str) -> None:
        """Learns from what `save` wrote; the searcher must be new."""
        assert not self._trials
        for line in Path(checkpoint_path).read_text().splitlines():
            self.apply(decode(line))

    def _share_of_an_arm(self) -> int:
        """How many search trials of an arm may run at once."""
        search = self._space.search
        learns = self._space.scheduler.name != "none" or (
            search is not None and search.sampler.name not in ("random", "grid")
        )
        num_learning = sum(one.num_trials > 1 for one in self._searches.values())
        return math.ceil(self._max_running / max(1, num_learning if learns else 1))

    @property
    def has_undone(self) -> bool:
        """Whether trials are left to deal, were there no budget."""
        return bool(self._arms_to_search() or self._arms_to_confirm())

    def _has_more(self) -> bool:
        return self.has_undone and not self._is_spent()

    def _arms_to_search(self) -> list[str]:
        return [
            arm
            for arm, search in self._searches.items()
            if self._num_dealt["search", arm] < search.num_trials
        ]

    def _arms_to_confirm(self) -> list[str]:
        num_seeds = len(self._space.confirm.seeds)
        waiting = [arm for arm in self._space.arms if self._num_dealt["confirm", arm] < num_seeds]
        return [arm for arm in waiting if self._is_decided(arm)]

    def _next_search(self) -> Dealt | None:
        arms = [a for a in self._arms_to_search() if self._num_searching(a) < self._max_an_arm]
        if not arms:
            return None
        arm = min(arms, key=lambda name: self._num_dealt["search", name])
        number = self._num_dealt["search", arm]
        params = self._searches[arm].propose(number)
        seed = seed_of(self._space, self._space.arm_config(arm, params))
        config = self._space.arm_config(arm, params, seed)
        return self._dealt("search", arm, f"{number:03d}", params, config)

    def _next_confirm(self) -> Dealt | None:
        arms = self._arms_to_confirm()
        if not arms:
            return None
        arm = min(arms, key=lambda name: self._num_dealt["confirm", name])
        seed = self._space.confirm.seeds[self._num_dealt["confirm", arm]]
        params, config = self._confirmed_as(arm, seed)
        return self._dealt("confirm", arm, f"seed{seed}", params, config)

    def _confirmed_as(self, arm: str, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """What an arm is confirmed with: what was searched of it, and the whole configuration."""
        if arm in self._confirmed:
            first = self._confirmed[arm]
            return first.params, {**first.config, "seed": seed}
        if not self._searches:
            return {}, self._space.confirm_config(arm, {}, seed)
        best = self._best[arm][1]
        tuned = self._trials[best.trial_key].tuned
        return best.params, self._space.confirm_config(arm, best.params, seed, tuned)

    def _is_decided(self, arm: str) -> bool:
        """Whether the search of an arm is over and has found something."""
        if not self._searches:
            return True
        if self._num_dealt["search", arm] < self._searches[arm].num_trials or arm not in self._best:
            return False
        return self._num_searching(arm) == 0

    def _num_searching(self, arm: str) -> int:
        """Search trials of an arm that run."""
        running = (self._trials[key].dealt for key in self._running)
        return sum(dealt.phase == "search" and dealt.arm == arm for dealt in running)

    def _dealt(
        self, phase: Any, arm: str, name: str, params: dict[str, Any], config: dict[str, Any]
    ) -> Dealt:
        return Dealt(
            trial_key=f"{phase}-{arm}-{name}",
            phase=phase,
            arm=arm,
            seed=seed_of(self._space, config),
            params=params,
            config=config,
            num_epochs=num_epochs_of(self._space, config),
        )

    def _apply_dealt(self, event: Dealt) -> None:
        if event.trial_key in self._trials:
            return
        number = self._num_dealt[event.phase, event.arm]
        self._num_dealt[event.phase, event.arm] += 1
        self._trials[event.trial_key] = _Trial(event, number)
        self._running.add(event.trial_key)
        if event.phase == "confirm":
            self._confirmed.setdefault(event.arm, event)
        if event.phase == "search":
            self._searches[event.arm].take(number, event.params)

    def _apply_epoch(self, trial: _Trial, event: EpochEnded) -> None:
        if event.epoch <= trial.epoch:
            return
        goals = self._objectives[trial.dealt.arm].goals
        trial.epoch, trial.tuned = event.epoch, event.tuned
        trial.values = tuple(event.metrics.get(goal.metric, math.nan) for goal in goals)
        if trial.dealt.phase == "search":
            self._searches[trial.dealt.arm].report(trial.number, trial.epoch, trial.values[0])

    def _apply_ended(self, trial: _Trial, event: TrialEnded) -> None:
        self._running.discard(event.trial_key)
        arm = trial.dealt.arm
        if trial.dealt.phase != "search":
            return
        self._searches[arm].tell(trial.number, event.status, *trial.values)
        value = trial.values[0]
        if event.status == "failed" or math.isnan(value):
            return
        sign = 1 if self._objectives[arm].mode == "min" else -1
        rank = (-trial.epoch, sign * value, trial.number)
        if arm not in self._best or rank < self._best[arm][0]:
            self._best[arm] = (rank, trial.dealt)


def _searches(
    space: Space, objectives: Mapping[str, Objective], journal: Path | None, study_id: str
) -> dict[str, ArmSearch]:
    """The searches of all arms, in one storage."""
    if space.search is None:
        return {}
    names = {arm: arm for arm in space.arms}
    storage: BaseStorage | None = None
    if space.search.storage is not None:
        storage = open_database(space.search.storage)
        names = {arm: f"{study_id}/{arm}" for arm in space.arms}
        for name in names.values():
            forget_study(storage, name)
    elif journal is not None:
        storage = JournalStorage(OptunaLog(journal))
    return {arm: ArmSearch(space, arm, objectives[arm], storage, names[arm]) for arm in space.arms}
