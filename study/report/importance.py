"""Which of an arm's searched settings mattered: fANOVA over the trials of its search."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from study.arm_search import ArmSearch
from study.goals import Objective
from study.report.pareto import goals_of
from study.results import Results, Row

MIN_TRIALS, TRIALS_A_PARAMETER = 20, 10
"""With fewer completed trials, importance would be noise."""


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Of an arm's settings for its objective, or why it is not told."""

    num_trials: int
    """Completed trials that it was estimated from."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Of the variance of the objective that a setting alone accounts for, the largest first."""
    why_not: str = ""


def importance(results: Results, arm: str) -> Importance:
    """How much each searched setting mattered to an arm's objective (Hutter et al. 2014).

    Optuna's study of the arm is rebuilt in memory from the ledger's trials.

    Args:
        results: of the study, which has a search.
        arm: its name.
    """
    searched = [t for t in results.trials if (t["phase"], t["arm"]) == ("search", arm)]
    done = [t for t in searched if t["status"] == "completed" and math.isfinite(t["objective"])]
    num_parameters = len({name for trial in searched for name in trial["params"]})
    needed = max(MIN_TRIALS, TRIALS_A_PARAMETER * num_parameters)
    if num_parameters < 2:
        return Importance(num_trials=len(done), why_not="there are no two settings to weigh")
    if len(done) < needed:
        return Importance(num_trials=len(done), why_not=f"it takes {needed} completed trials")
    if len({trial["objective"] for trial in done}) == 1:
        return Importance(num_trials=len(done), why_not="all trials reached the same")
    shares = _shares(results, arm, searched)
    return Importance(num_trials=len(done), shares=shares)


def _shares(results: Results, arm: str, searched: list[Row]) -> dict[str, float]:
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    storage = optuna.storages.InMemoryStorage()
    first, *others = goals_of(results, arm)
    told = Objective(metric=first.metric, mode=first.mode, against=tuple(others))
    search = ArmSearch(results.space, arm, told, storage)
    for number, trial in enumerate(searched):
        search.take(number, trial["params"])
        if trial["status"] != "running":
            values = (trial["metrics"].get(goal.metric, math.nan) for goal in told.goals)
            search.tell(number, trial["status"], *values)
    study = optuna.load_study(study_name=arm, storage=storage)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return get_param_importances(
            study, evaluator=FanovaImportanceEvaluator(seed=0), target=lambda t: t.values[0]
        )


def importance_rows(results: Results) -> list[dict[str, str]]:
    """An arm a row, of those that were searched."""
    rows = []
    for arm in results.space.arms:
        if not any((t["phase"], t["arm"]) == ("search", arm) for t in results.trials):
            continue
        found = importance(results, arm)
        told = ", ".join(f"{name} {share:.2f}" for name, share in found.shares.items())
        rows.append(
            {
                "arm": arm,
                "metric": results.objectives[arm],
                "trials": str(found.num_trials),
                "shares": told or f"not told: {found.why_not}",
            }
        )
    return rows
