"""What became of a study that faults have befallen, beside one that nothing has."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, fields
from typing import Any

from study.events import EpochEnded, Event, TrialEnded
from tests.chaos.rig import Rig
from tests.study.simulated import told

MLFLOW = """
from pathlib import Path
from mlflow import MlflowClient
from study.ledger import Ledger
from study.tracking.verification import check
database = "sqlite:///mlflow.db"
client = MlflowClient(database)
runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
found = check(Ledger.open(Path("study")), database).differences
print(sum(run.info.status == "RUNNING" for run in runs), len(found))
"""
"""Looks MLflow over, where its artifacts are: runs left RUNNING, and differences to the ledger."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Numbers that should all be 0, but for `begun_again`."""

    lost: int
    """Trials that an undisturbed study has, and this has not."""
    other: int
    """Trials that gave something else."""
    twice: int
    """Trials that ended twice, or were trained again after their end."""
    reported_again: int
    """Epochs that were trained again after they had been reported."""
    begun_again: int
    """Most epochs that any trial has begun again: at most 1 for each fault."""
    running: int
    """MLflow runs left RUNNING."""
    untold: int
    """Differences between MLflow and the ledger."""

    @property
    def is_good(self) -> bool:
        """Whether the promise was kept."""
        return self.begun_again <= 1 and not any(
            getattr(self, f.name) for f in fields(self) if f.name != "begun_again"
        )


def judge(rig: Rig, undisturbed: list[dict[str, Any]]) -> Verdict:
    """Looks over a study that has ended.

    Args:
        rig: where it ran.
        undisturbed: `told` of the same study.
    """
    found = {row["trial_key"]: row for row in lasting(told(rig.out))}
    expected = {row["trial_key"]: row for row in lasting(undisturbed)}
    events, begun = rig.events(), rig.begun()
    configs = {key: _config(record.dealt.config) for key, record in rig.ledger().records.items()}
    running, untold = rig.ask(MLFLOW).split()
    again = Counter((_config(entry["config"]), entry["epoch"]) for entry in begun)
    repeats: Counter[str] = Counter()
    for (config, _), num in again.items():
        repeats[config] += num - 1
    return Verdict(
        lost=len(expected.keys() - found.keys()),
        other=sum(row != expected.get(key) for key, row in found.items()),
        twice=_twice(events, configs, begun),
        reported_again=_reported_again(events, configs, begun),
        begun_again=max(repeats.values(), default=0),
        running=int(running),
        untold=int(untold),
    )


def lasting(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What must be alike, whoever has trained it and when: all but times."""
    return [
        {**row, "metrics": {k: v for k, v in row["metrics"].items() if k != "train/seconds"}}
        for row in rows
    ]


def _config(config: dict[str, Any]) -> str:
    return json.dumps(config, sort_keys=True)


def _twice(events: list[Event], configs: dict[str, str], begun: list[dict[str, Any]]) -> int:
    ends = [event for event in events if isinstance(event, TrialEnded)]
    over = {configs[end.trial_key]: end.time for end in ends}
    again = {
        config
        for entry in begun
        if (config := _config(entry["config"])) in over and entry["time"] > over[config]
    }
    return len(ends) - len(over) + len(again)


def _reported_again(
    events: list[Event], configs: dict[str, str], begun: list[dict[str, Any]]
) -> int:
    reported = {
        (configs[e.trial_key], e.epoch): e.time for e in events if isinstance(e, EpochEnded)
    }
    return sum(
        entry["time"] > reported.get((_config(entry["config"]), entry["epoch"]), "9")
        for entry in begun
    )
