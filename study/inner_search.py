"""The search of a clustering at the end of a training: see `InnerSearch`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from study.arm_search import ArmSearch
from study.inner_space import ARM, inner_space
from study.search_language import InnerSearch
from study.settings import strictly
from study.trainable import (
    OpticsConfig,
    TrialFailed,
    embed,
    map_embeddings,
    open_scorer,
    set_optics,
    trained_with,
)

if TYPE_CHECKING:
    from study.trainable import Scorer


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """The best clustering of a trained model."""

    params: dict[str, Any]
    """What was searched, by dotted name; empty where nothing is better than what was set."""
    metrics: dict[str, float]
    """Of the validation split, with this clustering."""


def tune(checkpoint: Path, inner: InnerSearch, untuned: Mapping[str, float]) -> Tuned:
    """Searches the clustering of a trained model, and tells the model the best.

    What is found follows from the model and the sampler's seed alone, and is no worse on the
    validation split than what was set.

    Args:
        checkpoint: directory of the model; its settings are changed.
        inner: how to search.
        untuned: what the model reaches as it is set.

    Raises:
        TrialFailed: the validation split shows nothing to judge by.
    """
    with tempfile.TemporaryDirectory(prefix="study-") as directory:
        path = Path(directory, "val.arrow")
        try:
            embed(checkpoint, "val", path, whole=False)
            scorer = open_scorer(map_embeddings(path)[0])
        except ValueError as error:
            raise TrialFailed(f"inner_search: {error}") from error
        found = _search(scorer, trained_with(checkpoint).optics, inner)
    sign = 1 if inner.objective.mode == "min" else -1
    metric = inner.objective.metric
    optics, best = min(found, key=lambda one: sign * one[1].metrics[metric])
    if sign * untuned[metric] <= sign * best.metrics[metric]:
        return Tuned(params={}, metrics={})
    set_optics(checkpoint, optics)
    return best


def tune_epoch(
    metrics: Mapping[str, float], checkpoint: Path, inner: InnerSearch | None, num_epochs: int
) -> tuple[dict[str, float], dict[str, Any]]:
    """What a trial tells of an epoch: of its last, with the best clustering of what was trained.

    Args:
        metrics: as they were reported, `epoch` among them.
        checkpoint: of the epoch; its settings are changed where a better clustering is found.
        inner: how to search; None where nothing is.
        num_epochs: how many the trial is to train.

    Returns:
        The metrics without `epoch`, and what the search chose.
    """
    values = {name: float(value) for name, value in metrics.items() if name != "epoch"}
    is_last = int(metrics["epoch"]) == num_epochs
    if inner is None or not is_last or inner.objective.metric not in values:
        return values, {}
    found = tune(checkpoint, inner, values)
    better = {name: found.metrics[name] for name in values if name in found.metrics}
    return {**values, **better}, found.params


def _search(
    scorer: Scorer, optics: OpticsConfig, inner: InnerSearch
) -> list[tuple[OpticsConfig, Tuned]]:
    """What was tried, and what it gave; ways that cannot be are left out."""
    space = inner_space(inner, optics.model_dump(mode="json"))
    search = ArmSearch(space, ARM, space.objective)
    tried: list[tuple[OpticsConfig, Tuned]] = []
    for number in range(search.num_trials):
        params = search.propose(number)
        try:
            told = strictly(space, space.arm_config(ARM, params)).optics
        except ValidationError:
            search.tell(number, "failed")
            continue
        scores = {f"val/{name}": value for name, value in scorer.score(told).items()}
        search.tell(number, "completed", scores[inner.objective.metric])
        tried.append((told, Tuned(params=params, metrics=scores)))
    return tried
