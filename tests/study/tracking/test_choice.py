"""Which models are the best: by the validation split, whatever the test split says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from study.events import Event
from study.ledger import Ledger
from study.space import Space
from study.tracking.choice import best_of_arms, champion
from tests.study.ledgers import METRIC, told_space, trial, write_study
from tests.study.tracking.trained import confirm, kept

VAL = "val/depth/abs_rel"


def chosen(
    directory: Path, events: list[Event], space: Space | None = None, **manifest: Any
) -> tuple[dict[str, str], str | None]:
    ledger = Ledger.open(write_study(directory / "study", events, space, **manifest))
    best = best_of_arms(ledger)
    return {arm: record.dealt.trial_key for arm, record in best.items()}, champion(ledger, best)


def unjudged(arm: str, seed: int, **told: float) -> list[Event]:
    """Confirmed, and never looked at on the validation split."""
    return kept(trial(arm, seed), **{"train/loss": 1.0, **told})


def test_the_best_seed_by_validation_is_taken_whatever_the_test_says(tmp_path: Path) -> None:
    best, first = chosen(
        tmp_path,
        [
            *confirm("a", 1, val=0.3, test=0.9),
            *confirm("a", 2, val=0.4, test=0.1),
            *confirm("b", 1, val=0.2, test=0.8),
            *confirm("b", 2, val=0.6, test=0.0),
        ],
    )
    assert best == {"a": "confirm-a-seed1", "b": "confirm-b-seed1"}
    assert first == "a", "its mean is better, though b has the best model"


@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_objective_says_which_way(tmp_path: Path, mode: str) -> None:
    space = told_space(objective={"metric": VAL, "mode": mode})
    events = [*confirm("a", 1, 0.3), *confirm("a", 2, 0.4), *confirm("b", 1, 0.1)]
    best, first = chosen(tmp_path, events, space)
    assert best["a"] == ("confirm-a-seed1" if mode == "min" else "confirm-a-seed2")
    assert first == ("b" if mode == "min" else "a")


def test_nan_never_wins(tmp_path: Path) -> None:
    events = [*confirm("a", 1, math.nan), *confirm("a", 2, 0.9), *confirm("b", 1, math.nan)]
    assert chosen(tmp_path, events) == ({"a": "confirm-a-seed2", "b": "confirm-b-seed1"}, "a")


def test_an_arm_with_an_objective_of_its_own_is_no_champion(tmp_path: Path) -> None:
    score = "val/depth/a1"
    own = {"objective": {"metric": score, "mode": "max"}}
    space = told_space(arms={"a": {}, "b": own})
    events = [*confirm("a", 1, 0.9)]
    events += [e for s, v in ((1, 0.2), (2, 0.7)) for e in unjudged("b", s, **{score: v, VAL: 0.0})]
    assert chosen(tmp_path, events, space) == (
        {"a": "confirm-a-seed1", "b": "confirm-b-seed2"},
        "a",
    )


def test_what_was_not_validated_goes_by_the_first_seed_and_the_search(tmp_path: Path) -> None:
    space = told_space(confirm={"seeds": [7, 3]})
    searched = {"a": (0.5, 0.2), "b": (0.3, 0.4)}
    events = [
        event
        for arm, values in searched.items()
        for number, value in enumerate(values)
        for event in trial(arm, phase="search", number=number, val=value)
    ]
    events += [event for arm in "ab" for seed in (3, 7) for event in unjudged(arm, seed)]
    assert chosen(tmp_path, events, space) == (
        {"a": "confirm-a-seed7", "b": "confirm-b-seed7"},
        "a",
    )


def test_without_a_value_to_rank_by_there_is_no_champion(tmp_path: Path) -> None:
    best, first = chosen(tmp_path, [*unjudged("a", 1), *unjudged("b", 1)])
    assert set(best) == {"a", "b"}
    assert first is None


@pytest.mark.parametrize("manifest", [{}, {"tested_phase": "search"}])
def test_where_nothing_is_confirmed_it_is_the_best_of_the_search(
    tmp_path: Path, manifest: dict[str, str]
) -> None:
    space = told_space(confirm={"seeds": [1] if manifest else []})
    events = [
        *kept(trial("a", phase="search", number=0, val=0.5, epochs=2)),
        *kept(trial("a", phase="search", number=1, val=0.4, epochs=2)),
        *kept(trial("a", phase="search", number=2, val=0.1, status="cut")),
        *kept(trial("b", phase="search", number=0, val=0.3, test={METRIC: 0.9})),
        *(confirm("b", 1, val=0.0) if manifest else []),
    ]
    assert chosen(tmp_path, events, space, **manifest) == (
        {"a": "search-a-001", "b": "search-b-000"},
        "b",
    )


def test_an_arm_without_a_kept_model_is_left_out(tmp_path: Path) -> None:
    events = [*trial("a", 1, status="failed", error="no luck"), *confirm("b", 1, 0.5)]
    assert chosen(tmp_path, events) == ({"b": "confirm-b-seed1"}, "b")
    assert chosen(tmp_path / "none", trial("a", 1)) == ({}, None)
