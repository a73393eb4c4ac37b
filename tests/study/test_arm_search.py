"""The search of one arm on its own: what it proposes, and what Optuna hears of it."""

from __future__ import annotations

import math
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from study.arm_search import ArmSearch
from study.goals import Objective
from study.space import Space
from tests.study.ledgers import told_space

MINIMISED = Objective(metric="val/depth/abs_rel", mode="min")
LR = {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}


def space_of(
    searched: dict[str, Any], sampler: str = "tpe", seed: int = 0, trials: int = 30, **more: Any
) -> Space:
    search = {
        "trials_per_arm": trials,
        "sampler": {"name": sampler, "seed": seed},
        "space": searched,
    }
    return told_space(search=search, **more)


def proposals(space: Space, arm: str = "a", num: int | None = None) -> list[dict[str, Any]]:
    search = ArmSearch(space, arm, MINIMISED)
    found = []
    for number in range(search.num_trials if num is None else num):
        found.append(search.propose(number))
        search.tell(number, "completed", float(number % 3))
    return found


@pytest.mark.parametrize("sampler", ["tpe", "random", "nsga2"])
@pytest.mark.parametrize(
    ("name", "fields", "allowed"),
    [
        ("optimizer.lr", LR, None),
        ("depth.ssim", {"type": "float", "low": 0, "high": 1, "step": 0.3}, [0, 0.3, 0.6, 0.9]),
        ("batch_size", {"type": "int", "low": 2, "high": 9, "step": 3}, [2, 5, 8]),
        ("batch_size", {"type": "int", "low": 1, "high": 3, "log": True}, [1, 2, 3]),
        ("depth.automask", {"type": "bool"}, [False, True]),
        ("tasks", {"type": "categorical", "choices": [["depth"], ["instances"]]},
         [["depth"], ["instances"]]),
        ("max_val_samples", {"type": "categorical", "choices": [None, 3]}, [None, 3]),
    ],
)  # fmt: skip
def test_proposals_lie_within_the_space_and_reach_all_of_it(
    sampler: str, name: str, fields: dict[str, Any], allowed: list[Any] | None
) -> None:
    found = [params[name] for params in proposals(space_of({name: fields}, sampler))]
    if allowed is None:
        assert all(1e-5 <= value <= 1e-3 for value in found)
        assert len(set(found)) > 20
    else:
        assert all(any(v == pytest.approx(a) if isinstance(a, float) else v == a
                       for a in allowed) for v in found)  # fmt: skip
        assert len({str(value) for value in found}) == len(allowed)


@pytest.mark.parametrize(
    ("base", "first"),
    [({}, 1e-4), ({"optimizer": {"lr": 5e-4}}, 5e-4), ({"optimizer": {"lr": 1.0}}, None)],
)
def test_the_first_trial_has_the_arms_own_value_where_it_lies_within(
    base: dict[str, Any], first: float | None
) -> None:
    (found,) = proposals(space_of({"optimizer.lr": LR}, base=base), num=1)
    assert first is None or found == {"optimizer.lr": first}
    assert 1e-5 <= found["optimizer.lr"] <= 1e-3


def test_arms_and_seeds_draw_numbers_of_their_own() -> None:
    def drawn(arm: str, seed: int) -> list[float]:
        space = space_of({"optimizer.lr": LR}, "random", seed)
        return [params["optimizer.lr"] for params in proposals(space, arm, 4)][1:]

    assert drawn("a", 0) == drawn("a", 0)
    assert not set(drawn("a", 0)) & set(drawn("b", 0))
    assert not set(drawn("a", 0)) & set(drawn("a", 1))


def test_a_grid_in_steps_has_the_values_that_were_written() -> None:
    searched = {"depth.ssim": {"type": "float", "low": 0.1, "high": 0.7, "step": 0.1}}
    found = [params["depth.ssim"] for params in proposals(space_of(searched, "grid"))]
    assert found == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


def test_better_proposals_follow_what_was_told() -> None:
    search = ArmSearch(space_of({"optimizer.lr": LR}, trials=40), "a", MINIMISED)
    distances = []
    for number in range(40):
        distance = abs(math.log10(search.propose(number)["optimizer.lr"]) + 4.6)
        search.tell(number, "completed", distance)
        distances.append(distance)
    assert sum(distances[-15:]) / 15 < 0.5 * sum(distances[1:6]) / 5


def test_a_trial_that_is_taken_again_keeps_its_parameters_and_its_number() -> None:
    space = space_of({"optimizer.lr": LR, "depth.automask": {"type": "bool"}})
    params = {"optimizer.lr": 3e-4, "depth.automask": False}
    search = ArmSearch(space, "a", MINIMISED)
    assert search.take(0, params) == search.take(0, params) == params
    proposed = search.propose(1)
    assert search.take(1, proposed) == proposed


@pytest.mark.parametrize(
    ("status", "value", "state"),
    [
        ("completed", 0.5, TrialState.COMPLETE),
        ("completed", math.nan, TrialState.FAIL),
        ("completed", math.inf, TrialState.FAIL),
        ("pruned", 0.5, TrialState.PRUNED),
        ("failed", 0.5, TrialState.FAIL),
    ],
)
def test_optuna_hears_how_a_trial_ended(status: Any, value: float, state: TrialState) -> None:
    storage = optuna.storages.InMemoryStorage()
    space = space_of({"optimizer.lr": LR, "depth.automask": {"type": "bool"}})
    search = ArmSearch(space, "a", MINIMISED, storage)
    params = search.propose(0)
    search.report(0, 1, 0.75)
    search.tell(0, status, value)
    (trial,) = optuna.load_study(study_name="a", storage=storage).trials
    assert (trial.state, trial.params) == (state, params)
    assert trial.intermediate_values == {1: 0.75}
