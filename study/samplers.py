"""Optuna's samplers, one for each proposal, with every argument pinned."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from study.search_language import Sampler

NUM_RANDOM_FIRST = 5
"""So many trials of `tpe` and `gp` are drawn at random, before there is something to go by."""


def make_sampler(told: Sampler, seed: int) -> BaseSampler:
    """The sampler that a study names. One that is new knows no less than one that was kept: all
    that it goes by is in the storage.

    Args:
        told: what the space says.
        seed: of this proposal.
    """
    if told.name == "tpe":
        return _tpe(seed)
    if told.name == "gp":
        return _gp(seed)
    if told.name == "nsga2":
        return _nsga2(seed, told.population_size)
    return optuna.samplers.RandomSampler(seed=seed)


def _tpe(seed: int) -> BaseSampler:
    """Arguments are pinned, since Optuna 5 changed the defaults.

    Running trials count as poor ones, so that parallel trials spread.
    """
    return optuna.samplers.TPESampler(
        n_startup_trials=NUM_RANDOM_FIRST,
        n_ei_candidates=24,
        multivariate=True,
        group=False,
        constant_liar=True,
        seed=seed,
    )


def _gp(seed: int) -> BaseSampler:
    """It takes the objective to be noisy, as trainings are, and learns of completed trials alone:
    what was stopped early tells it nothing. Running trials are reckoned with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # until Optuna 5
        return optuna.samplers.GPSampler(
            n_startup_trials=NUM_RANDOM_FIRST,
            deterministic_objective=False,
            independent_sampler=None,
            warn_independent_sampling=False,
            seed=seed,
        )


def _nsga2(seed: int, population_size: int) -> BaseSampler:
    """Its generations are kept in the storage, a number with each trial."""
    return optuna.samplers.NSGAIISampler(
        population_size=population_size,
        mutation_prob=None,  # one over the number of parameters
        crossover=optuna.samplers.nsgaii.UniformCrossover(swapping_prob=0.5),
        crossover_prob=0.9,
        seed=seed,
    )


class Partly(BaseSampler):
    """A sampler that models some parameters together, beside others that are drawn at random.

    The rest, those that depend on other parameters, it proposes one by one. Were they left to
    Optuna to find out, as those that some trial lacks, a study that is rebuilt could differ from
    one that was not interrupted.
    """

    def __init__(
        self, sampler: BaseSampler, *, together: Sequence[str], at_random: Sequence[str], seed: int
    ) -> None:
        self._sampler = sampler
        self._together = frozenset(together)
        self._at_random = frozenset(at_random)
        self._random = optuna.samplers.RandomSampler(seed=seed)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """What is modelled together."""
        found = self._sampler.infer_relative_search_space(study, trial)
        return {n: distribution for n, distribution in found.items() if n in self._together}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Values of what is modelled together."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """The value of one parameter."""
        own = self._random if param_name in self._at_random else self._sampler
        return own.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Optuna's notice."""
        self._sampler.before_trial(study, trial)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Optuna's notice."""
        self._sampler.after_trial(study, trial, state, values)
