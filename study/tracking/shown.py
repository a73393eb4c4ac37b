"""What MLflow is to show of a study: the ledger told in MLflow's words, without MLflow.

Whatever writes there, and whatever looks over what is there, goes by this alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from study.ledger import Ledger
from study.nesting import flattened, value_at
from study.pictures import PICTURES, pictures_of
from study.records import TrialRecord
from study.space import Space
from study.tracking.points import milliseconds
from study.tracking.safe import MAX_PARAM, MAX_TAG, is_safe, safe_name, safe_text

PARENT = "study"
"""`study.trial_key` and `study.phase` of the parent run."""
CONFIG = "config.json"
"""Artifact of a trial's run: its whole configuration."""
KEY, STATUS, REASON = "study.trial_key", "study.status", "study.reason"
"""Tags: what a run is of; how it ended, and why."""
WRITTEN = "study.written"
"""Tag that is written last: what of a trial is there beside its epochs."""
ALL_SPLITS = ("train", "val", "test")
_ENDS = {"completed": "FINISHED", "pruned": "KILLED", "cut": "KILLED", "failed": "FAILED"}
_FILES = ("manifest.json", "requirements.txt", "report.html", "report.md", "table.tex",
          "differences.tex")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A run, but for its metrics."""

    key: str
    name: str
    status: str
    """MLflow's: RUNNING, FINISHED, KILLED or FAILED."""
    started_ms: int
    ended_ms: int | None
    """None while it runs."""
    tags: Mapping[str, str]
    """But for that which names the parent run."""
    params: Mapping[str, str]
    files: Mapping[str, Path | str]
    """Artifacts by path: a file of the study directory, or a text."""
    splits: tuple[str, ...]
    """Of the data set, those that were read."""
    arm: str | None
    """None for the parent run, which has the data of every arm."""
    num_epochs: int = 0


def shown_trial(ledger: Ledger, record: TrialRecord, *, is_running: bool) -> Shown:
    """The run of a trial.

    Args:
        ledger: of its study.
        record: the trial.
        is_running: whether the study is under way; what has no end otherwise was interrupted.
    """
    dealt = record.dealt
    status = record.status if record.ended or is_running else "killed"
    reason = _reason(record, status)
    pictures = pictures_of(ledger.directory, dealt.trial_key)
    tags = {
        **_of_study(ledger),
        KEY: dealt.trial_key,
        "study.arm": dealt.arm,
        "study.phase": dealt.phase,
        "study.seed": str(dealt.seed),
        "study.config": CONFIG,
        STATUS: status,
        **({REASON: safe_text(reason, MAX_TAG)} if reason else {}),
        WRITTEN: f"{len(pictures)} pictures{', tested' if record.test else ''}",
    }
    last = record.ended or (record.epochs[-1].time if record.epochs else dealt.time)
    return Shown(
        key=dealt.trial_key,
        name=dealt.trial_key,
        status="RUNNING" if status == "running" else _ENDS.get(status, "KILLED"),
        started_ms=milliseconds(dealt.time),
        ended_ms=None if status == "running" else milliseconds(last),
        tags=tags,
        params=_params(ledger.space, record),
        files={
            CONFIG: json.dumps(dealt.config, indent=2) + "\n",
            **{f"{PICTURES}/{path.name}": path for path in pictures},
        },
        splits=ALL_SPLITS if record.test else ("train", "val"),
        arm=dealt.arm,
        num_epochs=record.num_epochs,
    )


def shown_parent(ledger: Ledger, *, is_running: bool) -> Shown:
    """The run of the study as a whole, with the files that it has by now."""
    manifest, directory = ledger.manifest, ledger.directory
    ended = manifest["ended"]
    spaces = [path.name for path in directory.glob("space*.yaml")]
    names = [name for name in (*spaces, *_FILES) if (directory / name).is_file()]
    figures = [p for p in (directory / "figures").glob("*") if p.is_file() and is_safe(p.name)]
    times = [r.ended or r.dealt.time for r in ledger.records.values()]
    last = ended or max([manifest["started"], *times])
    idle = "FINISHED" if ended else "KILLED"
    return Shown(
        key=PARENT,
        name=str(manifest["study_id"]),
        status="RUNNING" if is_running else idle,
        started_ms=milliseconds(manifest["started"]),
        ended_ms=None if is_running else milliseconds(last),
        tags={
            **_of_study(ledger),
            KEY: PARENT,
            "study.phase": PARENT,
            "mlflow.note.content": safe_text(ledger.space.question, MAX_TAG),
        },
        params={},
        files={
            **{name: directory / name for name in names},
            **{f"figures/{path.name}": path for path in figures},
        },
        splits=ALL_SPLITS,
        arm=None,
    )


def _of_study(ledger: Ledger) -> dict[str, str]:
    return {
        "study.id": str(ledger.manifest["study_id"]),
        "study.directory": safe_text(str(ledger.directory.resolve()), MAX_TAG),
    }


def _params(space: Space, record: TrialRecord) -> dict[str, str]:
    """What tells trials apart: what arms set, and what is searched."""
    dealt = record.dealt
    by_arms = [name for arm in space.arms.values() for name, _ in flattened(arm.set)]
    missing = object()
    told = {name: value_at(dealt.config, name, missing) for name in by_arms}
    found = {
        "arm": dealt.arm,
        "seed": dealt.seed,
        **{name: value for name, value in told.items() if value is not missing},
        **dealt.params,
        **{f"tuned.{name}": value for name, value in record.tuned.items()},
    }
    return {safe_name(name): safe_text(str(value), MAX_PARAM) for name, value in found.items()}


def _reason(record: TrialRecord, status: str) -> str | None:
    """Why it is not completed; None where it is, or may still be."""
    after = f"after epoch {record.num_epochs} of {record.dealt.num_epochs}"
    return {
        "failed": record.error or "no reason given",
        "pruned": f"stopped early {after}: poor beside other trials of its arm",
        "cut": f"cut short {after}: the budget of the study was spent",
        "killed": f"interrupted {after} with its study, which can go on: study resume",
    }.get(status)
