"""The search of one arm: one Optuna study with its own conditional space, sampler and direction."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import optuna

from study.budget import applies, contains, grid_points, num_search_trials
from study.conditions import searched_by
from study.nesting import value_at
from study.settings import settings_of
from study.space import Objective, Parameter, Space

optuna.logging.set_verbosity(optuna.logging.WARNING)
NUM_RANDOM_BEFORE_TPE = 5


class ArmSearch:
    """Proposes the configurations of one arm.

    Each proposal draws from a generator of its own, seeded by the sampler's seed, the arm and the
    trial's number. What is proposed depends on nothing but these and on what the arm's trials
    have told so far, so that a study that was killed goes on as if it had not been.
    """

    def __init__(
        self,
        space: Space,
        arm: str,
        objective: Objective,
        storage: optuna.storages.BaseStorage | None = None,
    ) -> None:
        assert space.search is not None
        self.num_trials = num_search_trials(space, arm)
        """How many trials the arm gets."""
        self._arm = arm
        self._sampler = space.search.sampler
        self._parameters = searched_by(space, arm)
        self._settings = settings_of(space, arm).model_dump(mode="json")
        self._trials: dict[int, optuna.Trial] = {}
        self._study = optuna.create_study(
            storage=storage,
            study_name=arm,
            direction="minimize" if objective.mode == "min" else "maximize",
            pruner=optuna.pruners.NopPruner(),
        )

    def propose(self, number: int) -> dict[str, Any]:
        """The parameters of the arm's next trial.

        Args:
            number: how many were proposed before. Trial 0 tries the values that the arm has
                anyhow, where they lie within the space.
        """
        if self._sampler.name == "grid":
            return self.take(number, grid_points(self._parameters)[number])
        words = (self._sampler.seed, zlib.crc32(self._arm.encode()), number)
        seed = int(np.random.SeedSequence(words).generate_state(1)[0])
        sampler = _tpe(seed) if self._sampler.name == "tpe" else _random(seed)
        return self._ask(number, sampler, self._own_values() if number == 0 else {})

    def take(self, number: int, params: Mapping[str, Any]) -> dict[str, Any]:
        """Gives the arm's next trial the parameters that are said, unless it has been proposed."""
        if number in self._trials:
            return dict(params)
        return self._ask(number, _random(0), params)

    def report(self, number: int, epoch: int, value: float) -> None:
        """Tells a trial's objective after an epoch."""
        self._trials[number].report(value, epoch)

    def tell(
        self, number: int, status: Literal["completed", "pruned", "failed"], value: float
    ) -> None:
        """Tells how a trial ended.

        A completed trial whose objective is no finite number is told as failed: Optuna's samplers
        have no place for it.
        """
        trial = self._trials.pop(number)
        if status == "pruned":
            self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        elif status == "completed" and math.isfinite(value):
            self._study.tell(trial, value)
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
        assert trial.number == number, f"expected trial {number} of {self._arm}: {trial.number}"
        self._trials[number] = trial
        params: dict[str, Any] = {}
        for name, parameter in self._parameters.items():
            if applies(parameter, params):
                params[name] = _suggested(trial, name, parameter)
        return params

    def _own_values(self) -> dict[str, Any]:
        own = {name: value_at(self._settings, name) for name in self._parameters}
        return {n: value for n, value in own.items() if contains(self._parameters[n], value)}


def _tpe(seed: int) -> optuna.samplers.BaseSampler:
    """All arguments are pinned, since Optuna 5 changed the defaults.

    Conditions are not told to it (`group` is experimental): parameters that some trials lack are
    drawn one by one. Running trials count as poor ones, so that parallel trials spread.
    """
    return optuna.samplers.TPESampler(
        n_startup_trials=NUM_RANDOM_BEFORE_TPE,
        n_ei_candidates=24,
        multivariate=True,
        group=False,
        constant_liar=True,
        seed=seed,
    )


def _random(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.RandomSampler(seed=seed)


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
