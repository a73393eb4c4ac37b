"""What every sampler promises: the same proposals, whatever was killed; and what each is for."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import optuna
import pytest

from study.arm_search import ArmSearch
from study.search_language import Sampler
from study.space import Space
from tests.study.ledgers import told_space
from tests.study.test_arm_search import LR, MINIMISED, proposals, space_of

SAMPLERS = ("tpe", "gp", "random", "nsga2")
NUM_TRIALS = 26
MIXED: dict[str, Any] = {
    "optimizer.lr": LR,
    "depth.ssim": {"type": "float", "low": 0, "high": 1},
    "depth.automask": {"type": "bool"},
    "depth.smoothness": {
        "type": "float", "low": 1e-4, "high": 1e-2, "log": True, "when": {"depth.automask": True},
    },
    "batch_size": {"type": "int", "low": 1, "high": 8, "sampler": "random"},
    "pose.encoder": {
        "type": "categorical", "choices": ["attended", "shared", "separate"], "sampler": "grid",
    },
}  # fmt: skip
"""A swept one, one at random, one that depends on another."""


def mixed_space(name: str, **more: Any) -> Space:
    search = {"trials_per_arm": NUM_TRIALS, "sampler": {"name": name}, "space": MIXED, **more}
    return told_space(search=search)


def loss(params: dict[str, Any]) -> float:
    return abs(math.log10(params["optimizer.lr"]) + 4.4) + params["depth.ssim"]


def end(search: ArmSearch, number: int, params: dict[str, Any]) -> None:
    """Most complete; one in five is stopped early, one in seven fails."""
    value = loss(params)
    search.report(number, 1, value)
    early = "pruned" if number % 5 == 3 else "failed"
    search.tell(number, "completed" if number % 5 != 3 and number % 7 != 4 else early, value)


def rebuilt(space: Space, taken: list[dict[str, Any]]) -> ArmSearch:
    """A search that has heard of the trials in the order of `test_a_search_that_is_rebuilt`."""
    search = ArmSearch(space, "a", MINIMISED)
    for number, params in enumerate(taken):
        assert search.take(number, params) == params
        if number:
            end(search, number - 1, taken[number - 1])
    return search


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_that_is_rebuilt_proposes_what_the_first_would_have(sampler: str) -> None:
    """Two trials run at a time."""
    space = mixed_space(sampler, enqueue=[{"depth.ssim": 0.25}])
    live = ArmSearch(space, "a", MINIMISED)
    taken: list[dict[str, Any]] = []
    for number in range(15 if sampler == "gp" else NUM_TRIALS):  # gp takes a second for each
        proposed = live.propose(number)
        if number in (0, 1, 7, 14, 19, NUM_TRIALS - 1):
            assert rebuilt(space, taken).propose(number) == proposed, f"trial {number}"
        taken.append(proposed)
        if number:
            end(live, number - 1, taken[number - 1])


@pytest.mark.parametrize("sampler", ["tpe", "random", "nsga2"])
def test_values_of_a_swept_parameter_are_dealt_evenly_beside_any_sampler(sampler: str) -> None:
    found = proposals(mixed_space(sampler), num=24)
    assert Counter(params["pose.encoder"] for params in found) == {
        "attended": 8,
        "shared": 8,
        "separate": 8,
    }
    assert len({params["optimizer.lr"] for params in found}) >= 18, "children keep their parents' "


def test_a_grid_beside_random_draws_takes_the_whole_budget_and_each_combination_as_often() -> None:
    free = ("optimizer.lr", "depth.ssim", "depth.smoothness")
    searched = {name: {**MIXED[name], "sampler": "random"} for name in free}
    swept = {name: MIXED[name] for name in ("depth.automask", "pose.encoder")}
    space = space_of({**searched, **swept, "batch_size": MIXED["batch_size"]}, "grid", trials=24)
    assert ArmSearch(space, "a", MINIMISED).num_trials == 24
    found = proposals(space)
    counts = Counter((params["depth.automask"], params["pose.encoder"]) for params in found)
    assert list(counts.values()) == [4] * 6
    assert len({params["optimizer.lr"] for params in found}) == 24
    assert all(("depth.smoothness" in params) == params["depth.automask"] for params in found)


def test_what_is_drawn_at_random_is_not_what_the_sampler_draws() -> None:
    searched = {"optimizer.lr": LR, "depth.smoothness": {**LR, "sampler": "random"}}
    found = proposals(space_of(searched), num=12)[1:]
    assert not any(params["optimizer.lr"] == params["depth.smoothness"] for params in found)


@pytest.mark.parametrize("sampler", ["tpe", "gp", "nsga2"])
def test_proposals_follow_what_was_told_and_random_ones_do_not(sampler: str) -> None:
    search = ArmSearch(mixed_space(sampler), "a", MINIMISED)
    losses, batches = [], []
    for number in range(30 if sampler == "gp" else 80):
        params = search.propose(number)
        losses.append(loss(params))
        batches.append(params["batch_size"])
        search.tell(number, "completed", losses[-1])
    assert sum(losses[-10:]) / 10 < 0.6 * sum(losses[1:6]) / 5
    assert len(set(batches[-24:])) > 5


def test_each_generation_of_nsga2_is_as_large_as_the_space_says() -> None:
    storage = optuna.storages.InMemoryStorage()
    sampler = {"name": "nsga2", "population_size": 4}
    search = ArmSearch(mixed_space("nsga2", sampler=sampler), "a", MINIMISED, storage)
    for number in range(20):
        search.tell(number, "completed", loss(search.propose(number)))
    trials = optuna.load_study(study_name="a", storage=storage).trials
    generations = [trial.system_attrs["NSGAIISampler:generation"] for trial in trials]
    assert generations == [number // 4 for number in range(20)]


def test_a_generation_needs_parents() -> None:
    assert Sampler.model_validate({"name": "nsga2"}).population_size == 10
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        Sampler.model_validate({"name": "nsga2", "population_size": 1})
