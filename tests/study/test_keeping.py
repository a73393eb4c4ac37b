"""Which models are kept where a budget may end the search at any time."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest

from study.events import Status
from study.keeping import may_be_tested
from study.ledger import Ledger
from study.records import TrialRecord
from study.searcher import ArmSearcher
from tests.study.ledgers import told_space, trial, write_study

NUM_TRIALS = 40
SPACE = told_space(
    budget={"hours": 1},
    search={
        "trials_per_arm": NUM_TRIALS,
        "space": {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3}},
    },
)


class Unread(dict[str, TrialRecord]):
    """Trials that are looked up one by one: of 10,000, to go through all takes too long."""

    def values(self) -> Any:
        raise AssertionError("went through all trials")


def drawn(chance: random.Random, number: int) -> tuple[int, float, Status]:
    status: Any = chance.choice(["completed", "pruned", "cut", "failed"])
    value = chance.choice([math.nan, 0.1, 0.2, 0.3, 1 / (number + 1)])
    return chance.randint(1, 3), value, status


@pytest.mark.parametrize("seed", range(5))
def test_a_search_trial_is_kept_if_none_of_its_arm_has_been_better(
    seed: int, tmp_path: Path
) -> None:
    chance, before = random.Random(seed), dict[str, list[tuple[int, float]]](a=[], b=[])
    ledger = Ledger.open(write_study(tmp_path, [], SPACE), writable=True)
    searcher = ArmSearcher(SPACE, {arm: SPACE.objective_of(arm) for arm in SPACE.arms})
    ledger.listeners.append(searcher.apply)
    for number in range(NUM_TRIALS):
        for arm, ranks in before.items():
            epochs, value, status = drawn(chance, number)
            *told, ended = trial(
                arm, phase="search", number=number, params={"optimizer.lr": 1e-4}, val=value,
                epochs=epochs, status=status,
            )  # fmt: skip
            for event in told:
                ledger.append(event)
            records = ledger.records
            ledger.records = Unread(records)
            kept = may_be_tested(
                ledger, ledger.records[ended.trial_key], status, searcher.best(arm)
            )
            ledger.records = records
            ledger.append(ended)
            is_ranked = status != "failed" and not math.isnan(value)
            assert kept == (is_ranked and all((-epochs, value) <= rank for rank in ranks))
            if is_ranked:
                ranks.append((-epochs, value))
    ledger.close()
