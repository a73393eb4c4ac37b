"""Which trained models of a study are the best: one an arm, and one of all.

All of it goes by the validation split. The test split has no say, so that what it tells of these
models is told of models that were not chosen by it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from study.keeping import rank_of, tested_phase
from study.ledger import Ledger
from study.records import TrialRecord
from study.results import best_trials
from study.statistics import summarise


def candidates(ledger: Ledger, arm: str) -> list[TrialRecord]:
    """The models of an arm that are compared with those of other arms, where they are kept."""
    phase = tested_phase(ledger.space, ledger.manifest)
    return [
        record
        for record in ledger.records.values()
        if record.kept is not None and (record.phase, record.dealt.arm) == (phase, arm)
    ]


def best_of_arms(ledger: Ledger) -> dict[str, TrialRecord]:
    """The model of each arm that is best in the arm's own objective.

    Where no confirmed model was judged on the validation split, it is the one of the first seed.
    An arm without a model is left out.
    """
    return {arm: best for arm in ledger.space.arms if (best := _best(ledger, arm)) is not None}


def champion(ledger: Ledger, best: Mapping[str, TrialRecord]) -> str | None:
    """The best of the arms that are tuned for the study's own objective.

    Arms are ranked by their mean over seeds, or by what the search found where no confirmed model
    was judged on the validation split. None where there is no such arm, or no value to rank by.
    """
    space, objectives = ledger.space, ledger.objectives()
    rivals = [arm for arm in best if space.objective_of(arm) == space.objective]
    if len({objectives[arm] for arm in rivals}) != 1:
        return None
    means = {arm: _mean(ledger, arm) for arm in rivals}
    values = means if any(map(math.isfinite, means.values())) else _searched(ledger)
    known = [arm for arm in rivals if math.isfinite(values.get(arm, math.nan))]
    sign = 1 if space.objective.mode == "min" else -1
    return min(known, key=lambda arm: sign * values[arm], default=None)


def _best(ledger: Ledger, arm: str) -> TrialRecord | None:
    metric, mode = ledger.objectives()[arm], ledger.space.objective_of(arm).mode
    found = candidates(ledger, arm)
    ranked = [
        (rank, index)
        for index, record in enumerate(found)
        if (rank := rank_of(record.num_epochs, record.metrics.get(metric, math.nan), mode))
    ]
    if ranked:
        return found[min(ranked)[1]]
    seeds = list(ledger.space.confirm.seeds)
    confirmed = [record for record in found if record.phase == "confirm"]
    return min(confirmed, key=lambda record: seeds.index(record.dealt.seed), default=None)


def _mean(ledger: Ledger, arm: str) -> float:
    """Of an arm's objective; in a study that confirms nothing, that of its best model."""
    metric, found = ledger.objectives()[arm], candidates(ledger, arm)
    if any(record.phase == "search" for record in found):
        best = _best(ledger, arm)
        found = [best] if best else []
    values = {record.dealt.seed: record.metrics.get(metric, math.nan) for record in found}
    return summarise(values).mean


def _searched(ledger: Ledger) -> dict[str, float]:
    rows = ledger.trials().to_dict(orient="records")
    best = best_trials(ledger.space, ledger.objectives(), rows)  # type: ignore[arg-type]
    return {arm: float(row["objective"]) for arm, row in best.items()}
