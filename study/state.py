"""How far a study is, read off its directory while it runs or afterwards."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from study.ledger import Ledger
from study.plan import make_plan
from study.results import best_trials
from study.stopping import is_driven

State = Literal["running", "interrupted", "ended"]


@dataclass(frozen=True, kw_only=True)
class ArmState:
    """How far one phase of an arm is."""

    arm: str
    phase: str
    num_planned: int
    num_completed: int
    num_pruned: int
    """Stopped early."""
    num_failed: int
    num_running: int
    """Begun and not ended; none of them runs where the study does not."""
    num_epochs: int


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best search trial of an arm so far; of an arm that is not searched, its best training."""

    arm: str
    trial_key: str
    metric: str
    value: float
    num_epochs: int
    params: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class StudyState:
    """How far a study is."""

    directory: str
    study: str
    question: str
    state: State
    has_driver: bool
    """Whether a process holds the study directory."""
    started: str
    ended: str | None
    test_opened: str | None
    """When the test split was opened; None where it has not been."""
    num_trials: int
    """Those that were dealt."""
    num_planned: int
    """Trials of the study, if every arm can be confirmed."""
    num_ended: int
    num_failed: int
    num_running: int
    num_epochs: int
    max_epochs: int
    """Epochs of all trials, if none is stopped early."""
    seconds: float
    """That trials have run, added up."""
    num_judged: int
    """Models that were judged on the test split."""
    arms: tuple[ArmState, ...]
    best: tuple[Best, ...]


def read_state(directory: Path) -> StudyState:
    """How far the study in a directory is.

    Raises:
        ValueError: it holds no study.
    """
    ledger = Ledger.open(directory)
    manifest, made, records = ledger.manifest, make_plan(ledger.space), ledger.records.values()
    has_driver, statuses = is_driven(directory), Counter(record.status for record in records)
    idle: State = "ended" if manifest.get("ended") else "interrupted"
    return StudyState(
        directory=str(directory),
        study=ledger.space.study,
        question=ledger.space.question,
        state="running" if has_driver else idle,
        has_driver=has_driver,
        started=manifest["started"],
        ended=manifest.get("ended"),
        test_opened=manifest.get("test_opened"),
        num_trials=len(records),
        num_planned=made.num_trials,
        num_ended=len(records) - statuses["running"],
        num_failed=statuses["failed"],
        num_running=statuses["running"],
        num_epochs=sum(record.num_epochs for record in records),
        max_epochs=made.max_epochs,
        seconds=math.fsum(record.seconds for record in records),
        num_judged=sum(record.test is not None for record in records),
        arms=tuple(_arms(ledger)),
        best=tuple(_best(ledger)),
    )


def _arms(ledger: Ledger) -> list[ArmState]:
    found = []
    for arm in make_plan(ledger.space).arms:
        for phase, num_planned in (("search", arm.num_search), ("confirm", arm.num_confirm)):
            own = [
                r for r in ledger.records.values() if (r.dealt.arm, r.phase) == (arm.name, phase)
            ]
            count = Counter(record.status for record in own)
            if num_planned or own:
                found.append(
                    ArmState(
                        arm=arm.name,
                        phase=phase,
                        num_planned=num_planned,
                        num_completed=count["completed"],
                        num_pruned=count["pruned"],
                        num_failed=count["failed"],
                        num_running=count["running"],
                        num_epochs=sum(record.num_epochs for record in own),
                    )
                )
    return found


def _best(ledger: Ledger) -> list[Best]:
    space, objectives = ledger.space, ledger.objectives()
    rows: list[Any] = ledger.trials().to_dict(orient="records")
    searched = {row["arm"] for row in rows if row["phase"] == "search"}
    rows = [{**r, "phase": "search" if r["arm"] not in searched else r["phase"]} for r in rows]
    return [
        Best(
            arm=arm,
            trial_key=row["trial_key"],
            metric=objectives[arm],
            value=float(row["objective"]),
            num_epochs=int(row["epochs"]),
            params=row["params"],
        )
        for arm, row in best_trials(space, objectives, rows).items()
    ]
