"""Which trained models are kept, and which of them are compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from study.events import Dealt, Phase, Status
from study.ledger import Ledger
from study.records import TrialRecord
from study.space import Space


def may_be_tested(ledger: Ledger, record: TrialRecord, status: Status, best: Dealt | None) -> bool:
    """Whether the model of a trial that ends now is kept, as the test phase may ask for it.

    What is confirmed is, and what is searched where nothing is confirmed. Where a budget may end
    the search, a trial of the search that is the best of its arm so far is kept as well, however
    it ended.

    Args:
        ledger: in which the trial has not ended.
        record: of the trial.
        status: how it ends.
        best: of the trials of its arm's search that have ended, as the searcher has it.
    """
    space = ledger.space
    if status == "completed" and (record.phase == "confirm" or not space.confirm.seeds):
        return True
    if status == "failed" or record.phase == "confirm" or not space.budget.is_limited:
        return False
    rank = _rank(ledger, record)
    before = None if best is None else _rank(ledger, ledger.records[best.trial_key])
    return rank is not None and (before is None or rank <= before)


def _rank(ledger: Ledger, record: TrialRecord) -> tuple[int, float] | None:
    arm = record.dealt.arm
    value = record.metrics.get(ledger.objectives()[arm], math.nan)
    return rank_of(record.num_epochs, value, ledger.space.objective_of(arm).mode)


def rank_of(num_epochs: int, value: float, mode: str) -> tuple[int, float] | None:
    """What sorts the trials of an arm, the best first: those that trained for longer, then the
    better value. None where the value is NaN, which never wins."""
    if math.isnan(value):
        return None
    return -num_epochs, value if mode == "min" else -value


def phase_to_test(
    space: Space, records: Iterable[TrialRecord], best: Iterable[str], *, is_cut_off: bool
) -> Phase:
    """The phase whose models are compared.

    That is confirm, unless the budget ended the study before every arm that the search found
    something for has a training with a fresh seed; the best of the search are compared then.

    Args:
        space: the study.
        records: its trials.
        best: arms that the search found something for.
        is_cut_off: whether the budget ended the study.
    """
    if not space.confirm.seeds:
        return "search"
    done = {r.dealt.arm for r in records if r.phase == "confirm" and r.status == "completed"}
    return "confirm" if space.search is None or not is_cut_off or set(best) <= done else "search"


def tested_phase(space: Space, manifest: Mapping[str, Any]) -> Phase:
    """The phase whose models are compared, as far as is known yet."""
    usual: Phase = "confirm" if space.confirm.seeds else "search"
    return manifest.get("tested_phase") or usual
