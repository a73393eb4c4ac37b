"""What an objective was traded against: the Pareto front of each arm's search."""

from __future__ import annotations

import math

from study.goals import Goal
from study.report.numbers import number
from study.report.settings import in_words
from study.results import Results, Row

MAX_ROWS = 12
"""Of an arm's front in a report, evenly spread; the picture shows all."""


def goals_of(results: Results, arm: str) -> tuple[Goal, ...]:
    """What an arm was tuned for, then what that was traded against."""
    objective = results.space.objective_of(arm)
    first = Goal(metric=results.objectives[arm], mode=objective.mode)
    return (first, *objective.against)


def tried(results: Results, arm: str) -> list[Row]:
    """The search trials of an arm that have a finite value in each of its goals."""
    metrics = [goal.metric for goal in goals_of(results, arm)]
    return [
        trial
        for trial in results.trials
        if (trial["phase"], trial["arm"], trial["status"]) == ("search", arm, "completed")
        and all(math.isfinite(trial["metrics"].get(metric, math.nan)) for metric in metrics)
    ]


def front(trials: list[Row], goals: tuple[Goal, ...]) -> list[Row]:
    """The trials that no other is as good as in every goal and better than in one, best first."""
    signs = [1 if goal.mode == "min" else -1 for goal in goals]

    def point(trial: Row) -> tuple[float, ...]:
        values = (trial["metrics"][goal.metric] for goal in goals)
        return tuple(sign * value for sign, value in zip(signs, values, strict=True))

    points = [point(trial) for trial in trials]
    kept = [
        trial
        for trial, own in zip(trials, points, strict=True)
        if not any(
            other != own and all(a <= b for a, b in zip(other, own, strict=True))
            for other in points
        )
    ]
    return sorted(kept, key=point)


def front_rows(results: Results) -> list[dict[str, str]]:
    """A row a trial of the front of each arm that trades."""
    rows = []
    for arm in results.space.arms:
        goals = goals_of(results, arm)
        if len(goals) < 2:
            continue
        found = front(tried(results, arm), goals)
        step = max(1, math.ceil(len(found) / MAX_ROWS))
        for trial in found[::step]:
            values = (f"{g.metric} {number(trial['metrics'][g.metric])}" for g in goals)
            rows.append(
                {
                    "arm": arm,
                    "values": ", ".join(values),
                    "params": in_words(trial["params"]) or "nothing to choose",
                    "trial": str(trial["trial_key"]),
                }
            )
    return rows
