"""Searches that trade one metric against another."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from study.arm_search import ArmSearch
from study.events import EpochEnded, TrialEnded
from study.goals import Objective
from study.searcher import ArmSearcher
from study.space import Space
from study.space_loading import load_space
from tests.study.ledgers import told_space

TRADED: dict[str, Any] = {
    "metric": "val/depth/abs_rel",
    "mode": "min",
    "against": [{"metric": "val/depth/a1", "mode": "max"}],
}
LR = {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}}


def space_of(sampler: str = "tpe", trials: int = 40) -> Space:
    search = {"trials_per_arm": trials, "sampler": {"name": sampler}, "space": LR}
    return told_space(objective=TRADED, search=search)


def search_of(sampler: str = "tpe", storage: Any = None) -> ArmSearch:
    return ArmSearch(space_of(sampler), "a", Objective.model_validate(TRADED), storage)


@pytest.mark.parametrize("sampler", ["tpe", "gp", "random", "nsga2"])
def test_every_sampler_can_trade_and_follows_from_its_seed(sampler: str) -> None:
    found: list[list[float]] = []
    for _ in range(2):
        search = search_of(sampler)
        proposed = []
        for number in range(12):
            distance = math.log10(search.propose(number)["optimizer.lr"]) + 4
            proposed.append(distance)
            search.tell(number, "completed", distance**2, -((distance - 0.5) ** 2))
        found.append(proposed)
    assert found[0] == found[1]
    assert len(set(found[0])) > 8


def test_tpe_looks_between_the_two_optima() -> None:
    search, proposed = search_of(), []
    for number in range(40):
        distance = math.log10(search.propose(number)["optimizer.lr"]) + 4
        proposed.append(distance)
        search.tell(number, "completed", distance**2, -((distance - 0.5) ** 2))
    late = [-0.2 <= distance <= 0.7 for distance in proposed[-15:]]
    assert sum(late) > 11


def test_optuna_hears_of_both_and_of_how_trials_ended() -> None:
    storage = InMemoryStorage()
    search = search_of(storage=storage)
    ends: list[Any] = [
        ("completed", (0.5, 0.9), TrialState.COMPLETE),
        ("completed", (0.5, math.nan), TrialState.FAIL),
        ("pruned", (0.5, 0.9), TrialState.PRUNED),
        ("failed", (0.5, 0.9), TrialState.FAIL),
    ]
    for number, (status, values, _) in enumerate(ends):
        search.propose(number)
        search.report(number, 1, values[0])
        search.tell(number, status, *values)
    study = optuna.load_study(study_name="a", storage=storage)
    assert [trial.state for trial in study.trials] == [state for *_, state in ends]
    assert study.trials[0].values == [0.5, 0.9]
    assert [trial.number for trial in study.best_trials] == [0]


def test_the_best_of_an_arm_is_the_one_that_is_best_in_the_first() -> None:
    space = space_of(trials=2)
    objectives = {arm: space.objective_of(arm) for arm in space.arms}
    searcher = ArmSearcher(space, objectives, max_running=4)
    for values in ((0.5, 0.1), (0.4, 0.0)):
        for _ in space.arms:
            dealt = searcher.suggest("")
            assert isinstance(dealt, dict)
            key = dealt["dealt"].trial_key
            metrics = {"val/depth/abs_rel": values[0], "val/depth/a1": values[1]}
            searcher.apply(
                EpochEnded(trial_key=key, epoch=1, metrics=metrics, checkpoint=None, seconds=0)
            )
            searcher.apply(TrialEnded(trial_key=key, status="completed"))
    best = searcher.best("a")
    assert best is not None
    assert best.trial_key == "search-a-001"


@pytest.mark.parametrize(
    ("against", "place", "problem"),
    [
        ("{metric: val/depth/a2, mode: min}", "0.mode", "expected max for val/depth/a2, found min"),
        ("{metric: val/depth/a4, mode: max}", "0.metric", "has no metric 'val/depth/a4'"),
        ("{metric: val/depth/abs_rel, mode: min}", "0.metric", "is an objective already"),
        ("{metric: test/depth/a2, mode: max}", "0.metric", "the search reads the validation"),
    ],
)
def test_what_cannot_be_traded_is_told_with_its_place(
    tmp_path: Path, against: str, place: str, problem: str
) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "study: x\nquestion: y\narms: {a: {}}\nconfirm: {seeds: [1]}\n"
        "objective:\n  metric: val/depth/abs_rel\n  mode: min\n"
        f"  against: [{against}]\n"
        "compare: {baseline: a, metrics: [test/depth/abs_rel]}\n"
    )
    with pytest.raises(ValueError, match=r"space\.yaml:8:\d+: ") as caught:
        load_space(path)
    assert f"objective.against.{place}: " in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("confirm: {seeds: [1]}", "confirm: nothing is random in a clustering: no seeds"),
        ("scheduler: {name: asha}", "scheduler: a clustering has no epochs to end early"),
        (
            "inner_search: {trials: 2, space: {optics.eps: {type: float, low: 1, high: 2}}}",
            "inner_search: expected search, which is all there is",
        ),
        ("base: {epochs: 3}", "base.epochs: unknown field; valid here: optics"),
        ("base: {optics: {esp: 3}}", "base.optics.esp: unknown field; did you mean 'eps'?"),
        (
            "base: {optics: {min_samples: 1}}",
            "base.optics.min_samples: expected at least 2, found 1",
        ),
        ("base: {optics: {eps: 9}}", "base.optics: expected eps <= max_eps, found 9.0 and 2.0"),
    ],
)
def test_what_a_clustering_study_cannot_say(tmp_path: Path, said: str, problem: str) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        f"kind: clustering\nstudy: x\nquestion: y\n{said}\narms: {{a: {{}}}}\n"
        "objective: {metric: val/instances/ap50, mode: max}\nsearch: {trials_per_arm: 1}\n"
        "compare: {baseline: a, metrics: [test/instances/ap50]}\n"
    )
    with pytest.raises(ValueError, match=r"space\.yaml:4:\d+: ") as caught:
        load_space(path)
    assert problem in str(caught.value)


def test_a_study_of_trainings_has_no_checkpoint() -> None:
    with pytest.raises(
        ValueError, match=r"checkpoint: a study of trainings has no checkpoint; exp"
    ):
        load_space("weighting.yaml", ["checkpoint=somewhere"])


def test_the_shipped_clustering_study_is_one(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    space = load_space("optics.yaml", ["checkpoint=model"])
    assert space.checkpoint == str(tmp_path / "model")
    assert load_space("optics.yaml", ["checkpoint=runs:/abc/x"]).checkpoint == "runs:/abc/x"
