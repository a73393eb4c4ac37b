"""What a study found: its ledger put through the statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from study import statistics
from study.events import Judged, Phase
from study.gains import Gain, find_gains
from study.keeping import tested_phase
from study.ledger import Ledger
from study.new_images import NewImages, judgements, new_images
from study.settings import settings_of
from study.space import Space
from study.trainable import higher_is_better, metric_names

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One arm against the reference arm in one metric."""

    arm: str
    metric: str
    reference: str
    difference: statistics.Difference
    p_adjusted: float
    """Holm's, over all comparisons of the study."""
    claim: statistics.Claim
    """What may be said of it."""
    new_images: NewImages
    """The interval of the difference for new seeds and new images."""

    @property
    def is_better(self) -> bool | None:
        """Whether the mean difference favours the arm; None when it is zero or unknown."""
        mean = self.difference.mean
        if math.isnan(mean) or mean == 0:
            return None
        return (mean > 0) == higher_is_better(self.metric)


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that a report says in numbers."""

    space: Space
    manifest: Mapping[str, Any]
    objectives: Mapping[str, str]
    """The metric that each arm was tuned for."""
    trials: list[Row]
    values: Mapping[str, Mapping[str, Mapping[int, float]]]
    """Metric by arm, metric and seed: of completed confirm trials; in a study that confirms
    nothing, of the search trials that were tested."""
    summaries: Mapping[str, Mapping[str, statistics.Summary]]
    """By arm and metric: objectives, and what is compared."""
    comparisons: list[Comparison]
    gains: list[Gain]
    """Of arms of several tasks over arms of one."""
    best: Mapping[str, Row]
    """The search trial of each arm that was confirmed, or would be."""

    @property
    def final_phase(self) -> Phase:
        """Whose models are compared."""
        return tested_phase(self.space, self.manifest)

    def why_missing(self, arm: str, metric: str) -> str:
        """Why an arm has no value in a metric."""
        config = settings_of(self.space, arm)
        split: Literal["test", "val"] = "test" if metric.startswith("test/") else "val"
        if metric not in metric_names(config, split):
            return "the arm does not learn what this measures"
        confirmed = self.values.get(arm, {})
        if not any(name.startswith(f"{split}/") for name in confirmed):
            return "no confirmed training of the arm was judged on this split"
        return "the images have no ground truth for it, or too little to give a number"

    def metrics(self) -> list[str]:
        """What arms were tuned for, then what is compared, each once."""
        return _shown(self.space, self.objectives)


def read_results(study_dir: Path) -> Results:
    """Reads a study directory, finished or not.

    Raises:
        ValueError: it holds no study.
    """
    ledger = Ledger.open(study_dir)
    trials: list[Row] = ledger.trials().to_dict(orient="records")  # type: ignore[assignment]
    space, objectives = ledger.space, ledger.objectives()
    final = tested_phase(space, ledger.manifest)
    values = _values(space, trials, final)
    return Results(
        space=space,
        manifest=ledger.manifest,
        objectives=objectives,
        trials=trials,
        values=values,
        summaries={
            arm: {
                m: statistics.summarise(values[arm].get(m, {})) for m in _shown(space, objectives)
            }
            for arm in space.arms
        },
        comparisons=_comparisons(space, values, judgements(space, ledger.records.values(), final)),
        gains=find_gains(space, values),
        best=best_trials(space, objectives, trials),
    )


def _shown(space: Space, objectives: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys([*objectives.values(), *space.compare.metrics]))


def _values(
    space: Space, trials: list[Row], final: Phase
) -> dict[str, dict[str, dict[int, float]]]:
    found: dict[str, dict[str, dict[int, float]]] = {arm: {} for arm in space.arms}
    for trial in trials:
        if not _is_final(trial, final):
            continue
        for metric, value in trial["metrics"].items():
            if value is not None and math.isfinite(value):
                found[trial["arm"]].setdefault(metric, {})[int(trial["seed"])] = float(value)
    return found


def _is_final(trial: Row, final: Phase) -> bool:
    """Whether a trial counts: of the search, those that were tested, however they ended."""
    if trial["phase"] != final:
        return False
    if final == "confirm":
        return bool(trial["status"] == "completed")
    return any(name.startswith("test/") for name in trial["metrics"])


def _comparisons(
    space: Space,
    values: Mapping[str, Mapping[str, Mapping[int, float]]],
    judged: Mapping[str, Mapping[int, Judged]],
) -> list[Comparison]:
    pairs = _pairs(space, values)
    differences = [
        _over_images(metric, *(next(iter(judged[x].values())) for x in (arm, reference)))
        if space.kind == "clustering"
        else statistics.paired_difference(
            values[arm][metric], values[reference][metric], space.compare.test
        )
        for arm, metric, reference in pairs
    ]
    adjusted = statistics.holm([difference.p_value for difference in differences])
    return [
        Comparison(
            arm=arm,
            metric=metric,
            reference=reference,
            difference=found,
            p_adjusted=p,
            claim=statistics.decide(found, p, len(pairs)),
            new_images=new_images(metric, judged[arm], judged[reference]),
        )
        for (arm, metric, reference), found, p in zip(pairs, differences, adjusted, strict=True)
    ]


def _over_images(metric: str, arm: Judged, reference: Judged) -> statistics.Difference:
    """The difference of two clusterings of the same offsets."""
    return statistics.image_difference(
        arm.metrics[metric],
        reference.metrics[metric],
        arm.replicates.get(metric, []),
        reference.replicates.get(metric, []),
        num_images=len(arm.images),
    )


def _pairs(
    space: Space, values: Mapping[str, Mapping[str, Mapping[int, float]]]
) -> list[tuple[str, str, str]]:
    """Arm, metric and reference of each comparison: those that have a seed in common."""

    def seeds(arm: str, metric: str) -> set[int]:
        return set(values[arm].get(metric, {}))

    return [
        (arm, metric, reference)
        for metric in space.compare.metrics
        if (reference := reference_arm(space, metric)) is not None
        for arm in space.arms
        if arm != reference and seeds(arm, metric) & seeds(reference, metric)
    ]


def reference_arm(space: Space, metric: str) -> str | None:
    """The arm that differences in a metric are taken to: the baseline, if it has the metric.

    A baseline that does not learn the task has no such metric; then it is the first arm that has.
    """
    for arm in (space.compare.baseline, *space.arms):
        config = settings_of(space, arm)
        if metric in metric_names(config, "test"):
            return arm
    return None


def best_trials(space: Space, objectives: Mapping[str, str], trials: list[Row]) -> dict[str, Row]:
    """The search trial that each arm was confirmed by, as `ArmSearcher.best` ranks them."""
    best: dict[str, Row] = {}
    for arm in objectives:
        sign = 1 if space.objective_of(arm).mode == "min" else -1
        own = [t for t in trials if (t["phase"], t["arm"]) == ("search", arm)]
        ended = [t for t in own if t["status"] in ("completed", "pruned", "cut")]
        known = [t for t in ended if not math.isnan(t["objective"])]
        if known:
            best[arm] = min(known, key=lambda t: (-t["epochs"], sign * t["objective"]))
    return best
