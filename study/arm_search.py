"""The search of one arm: one Optuna study with its own conditional space, sampler and direction."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import optuna

from study.budget import applies, contains, grid_points, num_search_trials, swept_by
from study.conditions import searched_by
from study.first_points import first_points
from study.goals import Objective
from study.nesting import value_at
from study.samplers import Partly, make_sampler
from study.search_language import Parameter
from study.settings import settings_of
from study.space import Space

optuna.logging.set_verbosity(optuna.logging.WARNING)
_DIRECTIONS = {
    "min": optuna.study.StudyDirection.MINIMIZE,
    "max": optuna.study.StudyDirection.MAXIMIZE,
}


class ArmSearch:
    """Proposes the configurations of one arm.

    Each proposal draws from a generator of its own, seeded by the sampler's seed, the arm and the
    trial's number. What is proposed depends on nothing but these and on what the arm's trials
    have told so far, so that a study that was killed goes on as if it had not been.

    Parameters that a grid is made of are not proposed: trial `n` gets combination `n` of their
    values, over and over. The sampler proposes the others beside them.
    """

    def __init__(
        self,
        space: Space,
        arm: str,
        objective: Objective,
        storage: optuna.storages.BaseStorage | None = None,
        study_name: str | None = None,
    ) -> None:
        """A search that has proposed nothing yet.

        Args:
            space: the study.
            arm: whose search it is.
            objective: what is told of it.
            storage: Optuna's; left out, in memory.
            study_name: in the storage; the arm's, if left out.
        """
        assert space.search is not None
        self.num_trials = num_search_trials(space, arm)
        """How many trials the arm gets."""
        self._arm = arm
        self._sampler = space.search.sampler
        self._parameters = searched_by(space, arm)
        self._settings = settings_of(space, arm).model_dump(mode="json")
        self._swept = swept_by(space, arm)
        self._combinations = grid_points(self._swept)
        self._at_random = [n for n in self._parameters if space.search.sampler_of(n) == "random"]
        self._first = first_points(space, arm)
        if own := self._own_values():
            self._first += [own] if own not in self._first else []
        self._trials: dict[int, optuna.Trial] = {}
        self._study = optuna.create_study(
            storage=storage,
            study_name=study_name or arm,
            directions=[_DIRECTIONS[goal.mode] for goal in objective.goals],
            pruner=optuna.pruners.NopPruner(),
        )

    def propose(self, number: int) -> dict[str, Any]:
        """The parameters of the arm's next trial.

        Args:
            number: how many were proposed before. The points of `search.enqueue` come first, then
                the values that the arm has anyhow, where they lie within the space.
        """
        first = self._first[number] if number < len(self._first) else {}
        combination = self._combinations[number % len(self._combinations)]
        return self._ask(number, self._sampler_of(number), {**first, **combination})

    def take(self, number: int, params: Mapping[str, Any]) -> dict[str, Any]:
        """Gives the arm's next trial the parameters that are said, unless it has been proposed."""
        if number in self._trials:
            return dict(params)
        return self._ask(number, self._sampler_of(number), params)

    def report(self, number: int, epoch: int, value: float) -> None:
        """Tells a trial's objective after an epoch; Optuna keeps none where there are several."""
        if len(self._study.directions) == 1:
            self._trials[number].report(value, epoch)

    def tell(
        self, number: int, status: Literal["completed", "pruned", "cut", "failed"], *values: float
    ) -> None:
        """Tells how a trial ended, and its objective with what that is traded against.

        A completed trial with a value that is no finite number is told as failed: Optuna's
        samplers have no place for it.
        """
        trial = self._trials.pop(number)
        if status in ("pruned", "cut"):
            self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        elif status == "completed" and all(map(math.isfinite, values)):
            self._study.tell(trial, values)
        else:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)

    def _ask(
        self, number: int, sampler: optuna.samplers.BaseSampler, fixed: Mapping[str, Any]
    ) -> dict[str, Any]:
        self._study.sampler = sampler
        if fixed:
            self._study.enqueue_trial(
                {n: _stored(self._parameters[n], v) for n, v in fixed.items()}
            )
        trial = self._study.ask()
        if self._sampler.name == "nsga2":
            _ = trial.relative_params  # numbers its generation, even where no value is proposed
        assert trial.number == number, f"expected trial {number} of {self._arm}: {trial.number}"
        self._trials[number] = trial
        params: dict[str, Any] = {}
        for name, parameter in self._parameters.items():
            if applies(parameter, params):
                params[name] = _suggested(trial, name, parameter)
        return params

    def _sampler_of(self, number: int) -> optuna.samplers.BaseSampler:
        words = (self._sampler.seed, zlib.crc32(self._arm.encode()), number)
        seed, other = (int(word) for word in np.random.SeedSequence(words).generate_state(2))
        alone = {n for n, p in self._parameters.items() if p.when} | {
            *self._at_random,
            *self._swept,
        }
        return Partly(
            make_sampler(self._sampler, seed),
            together=[name for name in self._parameters if name not in alone],
            at_random=self._at_random,
            seed=other,
        )

    def _own_values(self) -> dict[str, Any]:
        free = {n: p for n, p in self._parameters.items() if n not in self._swept}
        own = {name: value_at(self._settings, name) for name in free}
        return {name: value for name, value in own.items() if contains(free[name], value)}


def _suggested(trial: optuna.Trial, name: str, parameter: Parameter) -> Any:
    low, high, step = parameter.low, parameter.high, parameter.step
    if parameter.type == "bool":
        return trial.suggest_categorical(name, (False, True))
    if parameter.choices is not None:
        choices = [_stored(parameter, choice) for choice in parameter.choices]
        return parameter.choices[choices.index(trial.suggest_categorical(name, choices))]
    assert low is not None
    assert high is not None
    if step is not None:
        high = parameter.nth_value(int(parameter.num_values()) - 1)
    if parameter.type == "int":
        return trial.suggest_int(name, int(low), int(high), step=int(step or 1), log=parameter.log)
    return trial.suggest_float(name, low, high, step=step, log=parameter.log)


def _stored(parameter: Parameter, value: Any) -> Any:
    """A value as Optuna keeps it: choices among lists or mappings become text."""
    plain = all(isinstance(c, bool | int | float | str | None) for c in parameter.choices or ())
    return value if plain else json.dumps(value)
