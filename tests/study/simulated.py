"""Spaces of simulated trainings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend, JournalStorage

from study.events import now
from study.ledger import Ledger
from study.simulate import Simulated
from study.space import Space
from study.trainable import Report

OBJECTIVE = "val/depth/abs_rel"
RANDOM_SEARCH = {
    "trials_per_arm": 2,
    "sampler": {"name": "random"},
    "space": {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}},
}
"""Of which nothing depends on how many run at once."""


def simulated_space(arms: Iterable[str] = ("equal", "dwa"), **changes: Any) -> Space:
    """An arm for each weighting: 3 search trials of 3 epochs each, and no seeds to confirm."""
    content: dict[str, Any] = {
        "study": "simulated",
        "question": "Does it hold?",
        "base": {"tasks": ["depth"], "epochs": 3},
        "arms": {name: {"set": {"weighting": {"name": name}}} for name in arms},
        "objective": {"metric": OBJECTIVE, "mode": "min"},
        "search": {
            "trials_per_arm": 3,
            "space": {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}},
        },
        "compare": {"baseline": next(iter(arms)), "metrics": ["test/depth/abs_rel"]},
    }
    return Space.model_validate({**content, **changes})


@dataclass(frozen=True, kw_only=True)
class Diarist(Simulated):
    """Writes down each epoch before it is trained: when, of which training, and by whom."""

    diary: Path

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        done = 0
        if resume_from is not None:
            done = json.loads((resume_from / "state.json").read_text())["epoch"]
        super().fit(config, written_down(self.diary, config, report, done), resume_from)

    def entries(self) -> list[dict[str, Any]]:
        """What was written, in order."""
        return entries(self.diary)


def written_down(diary: Path, config: Mapping[str, Any], report: Report, done: int) -> Report:
    """Writes an epoch down now, and each that follows when the one before it is reported.

    Args:
        diary: a line for each epoch that begins.
        config: of the training.
        report: hears of each epoch that has ended.
        done: epochs that the training goes on from.
    """

    def write(epoch: int) -> None:
        line = {"time": now(), "config": config, "epoch": epoch, "pid": os.getpid()}
        with diary.open("a") as stream:
            stream.write(json.dumps(line) + "\n")

    def told(metrics: dict[str, float], checkpoint: Path) -> None:
        report(metrics, checkpoint)
        if metrics["epoch"] < config["epochs"]:
            write(int(metrics["epoch"]) + 1)

    write(done + 1)
    return told


def entries(diary: Path) -> list[dict[str, Any]]:
    """What was written down, in order; a line that was cut off is no entry."""
    lines = diary.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("}\n")]


def told(out: Path) -> list[dict[str, Any]]:
    """What was tried and what it gave, a row a trial."""
    columns = ["trial_key", "phase", "arm", "seed", "status", "error", "epochs", "params"]
    table = Ledger.open(out).trials()[[*columns, "metrics", "objective"]]
    rows: list[Any] = table.to_dict("records")
    return rows


def optuna_of(out: Path) -> dict[str, list[Any]]:
    """All that Optuna's studies know, by arm: of a killed study, as its last session rebuilt it."""
    storage = JournalStorage(JournalFileBackend(str(out / "optuna.log")))
    return {
        arm: [
            (t.number, t.state.name, t.values, t.params, t.intermediate_values)
            for t in optuna.load_study(study_name=arm, storage=storage).trials
        ]
        for arm in Ledger.open(out).space.arms
    }
