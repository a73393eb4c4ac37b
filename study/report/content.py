"""What a report says, ready to be set in HTML, Markdown or LaTeX: text and numbers, no markup."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study.plan import describe
from study.report.answer import answer
from study.report.numbers import (
    ABSENT,
    duration,
    interval,
    mean_and_std,
    number,
    p_value,
    signed,
)
from study.results import Comparison, Results, Row
from study.statistics import CONFIDENCE, MAX_EXACT_PAIRS, smallest_p
from study.trainable import higher_is_better
from study.words import counted


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One arm in one metric."""

    text: str
    note: int | None = None
    """Number of the footnote that says why there is no value, or fewer than there are seeds."""
    is_best: bool = False


@dataclass(frozen=True, kw_only=True)
class ArmRow:
    """One arm of the main table."""

    arm: str
    cells: list[Cell]
    trial_keys: list[str]
    """Trainings that the row's numbers come from."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image file in `figures/`, and what it shows."""

    path: Path
    caption: str


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that a report says."""

    study: str
    question: str
    answer: str
    is_finished: bool
    metrics: list[str]
    """Columns of the main table, with an arrow towards better."""
    rows: list[ArmRow]
    footnotes: list[str]
    seeds: str
    """Over how many a mean is taken, in words."""
    differences: list[dict[str, str]]
    difference_notes: list[str]
    searched: list[str]
    best: list[dict[str, str]]
    costs: list[dict[str, str]]
    failures: list[dict[str, str]]
    shut: list[str]
    """How the test split was kept shut."""
    command: str
    facts: list[tuple[str, str]]
    """The manifest, flat."""
    curves: list[Picture] = field(default_factory=list)
    panels: list[Picture] = field(default_factory=list)


def make_content(results: Results, curves: list[Picture], panels: list[Picture]) -> Content:
    """Puts results into words."""
    space = results.space
    footnotes: list[str] = []
    metrics = list(space.compare.metrics)
    return Content(
        study=space.study,
        question=space.question,
        answer=answer(results),
        is_finished=bool(results.manifest.get("ended")),
        metrics=[_arrow(metric) for metric in metrics],
        rows=[_arm_row(results, arm, metrics, footnotes) for arm in space.arms],
        footnotes=footnotes,
        seeds=counted(_num_seeds(results), "seed"),
        differences=[_difference(c) for c in results.comparisons],
        difference_notes=_difference_notes(results),
        searched=_searched(results),
        best=[_best(results, arm, trial) for arm, trial in results.best.items()],
        costs=_costs(results),
        failures=[
            {"trial": t["trial_key"], "arm": t["arm"], "reason": t["error"] or "no reason given"}
            for t in results.trials
            if t["status"] == "failed"
        ],
        shut=_shut(results),
        command=str(results.manifest.get("command", "python -m study.run --space space.yaml")),
        facts=list(_flat(results.manifest)),
        curves=curves,
        panels=panels,
    )


def _arrow(metric: str) -> str:
    return f"{metric} {'↑' if higher_is_better(metric) else '↓'}"


def _arm_row(results: Results, arm: str, metrics: list[str], footnotes: list[str]) -> ArmRow:
    cells = []
    for metric in metrics:
        summary = results.summaries[arm][metric]
        why = _why_fewer(results, arm, metric)
        if why and why not in footnotes:
            footnotes.append(why)
        cells.append(
            Cell(
                text=mean_and_std(summary) if summary.num else ABSENT,
                note=footnotes.index(why) + 1 if why else None,
                is_best=_is_best(results, arm, metric),
            )
        )
    keys = [
        str(t["trial_key"])
        for t in results.trials
        if (t["phase"], t["arm"], t["status"]) == ("confirm", arm, "completed")
    ]
    return ArmRow(arm=arm, cells=cells, trial_keys=keys)


def _num_seeds(results: Results) -> int:
    """How many trainings an arm is to be judged by: one, in a study that confirms nothing."""
    return len(results.space.confirm.seeds) or 1


def _why_fewer(results: Results, arm: str, metric: str) -> str | None:
    num, num_seeds = results.summaries[arm][metric].num, _num_seeds(results)
    if num == 0:
        return results.why_missing(arm, metric)
    return f"over {num} of {num_seeds} seeds: the others gave no value" if num < num_seeds else None


def _is_best(results: Results, arm: str, metric: str) -> bool:
    means = {a: s[metric].mean for a, s in results.summaries.items() if s[metric].num}
    if len(means) < 2:
        return False
    extreme = max(means.values()) if higher_is_better(metric) else min(means.values())
    return means.get(arm) == extreme


def _difference(comparison: Comparison) -> dict[str, str]:
    found = comparison.difference
    verdict = {True: "better", False: "worse", None: "same"}[comparison.is_better]
    return {
        "metric": _arrow(comparison.metric),
        "arm": comparison.arm,
        "reference": comparison.reference,
        "pairs": str(found.num_pairs),
        "difference": signed(found.mean),
        "interval": interval(found.low, found.high),
        "direction": verdict,
        "p": p_value(found.p_value),
        "p_holm": p_value(comparison.p_adjusted),
    }


def _difference_notes(results: Results) -> list[str]:
    if not results.comparisons:
        return []
    num_pairs = max(c.difference.num_pairs for c in results.comparisons)
    notes = [
        "A difference is the arm minus its reference, seed by seed: the same seed means the same "
        "initial weights and the same order of the data.",
        f"Intervals hold the mean difference with {CONFIDENCE:.0%} confidence, by Student's t, "
        "which takes differences for normal; they are not corrected for their number.",
        f"p comes from {'an exact' if num_pairs <= MAX_EXACT_PAIRS else 'a'} two-sided sign-flip "
        f"permutation test; p (Holm) is corrected for {_all(len(results.comparisons))} of this "
        "table.",
        f"With {counted(num_pairs, 'pair')} this test cannot go below "
        f"p = {smallest_p(num_pairs):.2g}, whatever the numbers.",
    ]
    for metric in results.space.compare.metrics:
        others = {c.reference for c in results.comparisons if c.metric == metric}
        notes += [
            f"{results.space.compare.baseline} has no {metric}; there, arms are compared with "
            f"{other}."
            for other in others - {results.space.compare.baseline}
        ]
    return notes


def _all(num_comparisons: int) -> str:
    return "the one comparison" if num_comparisons == 1 else f"all {num_comparisons} comparisons"


def _searched(results: Results) -> list[str]:
    search = results.space.search
    if search is None:
        return ["Nothing: each arm was trained as it is set."]
    lines = [describe(name, parameter) for name, parameter in search.space.items()]
    budget = f"{counted(search.trials_per_arm, 'trial')} for each arm, proposed by "
    budget += search.sampler.name
    early = results.space.scheduler.name
    ending = "" if early == "none" else f", poor ones ended early by {early} within their own arm"
    return [*lines, budget + ending]


def _best(results: Results, arm: str, trial: Row) -> dict[str, str]:
    params = ", ".join(f"{name} = {_value(v)}" for name, v in trial["params"].items())
    return {
        "arm": arm,
        "metric": results.objectives[arm],
        "value": number(trial["objective"]),
        "params": params or "nothing to choose",
        "trial": str(trial["trial_key"]),
    }


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _costs(results: Results) -> list[dict[str, str]]:
    rows = []
    for arm in results.space.arms:
        own = [trial for trial in results.trials if trial["arm"] == arm]
        counts = {
            status: str(sum(trial["status"] == status for trial in own))
            for status in ("completed", "pruned", "failed", "running")
        }
        seconds = sum(t["device_seconds"] for t in own if math.isfinite(t["device_seconds"]))
        epochs = sum(int(trial["epochs"]) for trial in own)
        rows.append({"arm": arm, **counts, "epochs": str(epochs), "time": duration(seconds)})
    return rows


def _shut(results: Results) -> list[str]:
    own = set(results.objectives.values())
    chosen = f"Settings were chosen by {', '.join(sorted(own))}, on the validation split"
    lines = [
        f"{chosen if results.space.search else 'Settings were not searched'}; numbers in "
        "the tables above are of the test split, which no choice has seen."
    ]
    opened = results.manifest.get("test_opened")
    if not opened:
        return [*lines, "The test split has not been opened."]
    tested = [t for t in results.trials if any(m.startswith("test/") for m in t["metrics"])]
    ends = sorted(str(t["ended"]) for t in results.trials if t["ended"])
    lines.append(
        f"The test split was opened at {opened}, for {counted(len(tested), 'trained model')}; the "
        f"last training ended at {ends[-1] if ends else 'an unknown time'}."
    )
    late = [t for t in results.trials if t["started"] and str(t["started"]) > str(opened)]
    if late:
        lines.append(
            f"Beware: {counted(len(late), 'training')} started after that: "
            f"{', '.join(str(t['trial_key']) for t in late)}."
        )
    return lines


def _flat(manifest: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    for name, value in manifest.items():
        if isinstance(value, Mapping):
            facts += _flat(value, f"{prefix}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            facts.append((f"{prefix}{name}", text))
    return facts
