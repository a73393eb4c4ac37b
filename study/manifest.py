"""What a study's numbers depend on beside its space: versions, code, data, machine."""

from __future__ import annotations

import os
import platform
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from study.events import now
from study.trainable import SplitSummary

PACKAGES = ("mtdepth", "torch", "torchvision", "ray", "optuna", "mlflow", "numpy", "scikit-learn")


def make_manifest(
    study: str, objectives: Mapping[str, Any], data: Mapping[str, Any]
) -> dict[str, Any]:
    """The manifest of a study that starts now.

    Args:
        study: its name.
        objectives: what each arm is tuned for.
        data: the summary of each data set, by split.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return {
        "study_id": f"{study}-{stamp}-{secrets.token_hex(2)}",
        "started": now(),
        "ended": None,
        "test_opened": None,
        "command": shlex.join(["python", "-m", "study.run", *sys.argv[1:]]),
        **surroundings(),
        "objectives": dict(objectives),
        "data": dict(data),
    }


def surroundings() -> dict[str, Any]:
    """Versions, code and machine, as they are here and now."""
    return {"versions": _versions(), "git": _git(), "machine": _machine()}


def requirements() -> str:
    """All packages that are installed, as a file for `pip install -r`."""
    every = (one.metadata for one in distributions())  # which is read anew each time
    found = {x["Name"].lower(): f"{x['Name']}=={x['Version']}" for x in every if x["Name"]}
    lines = [f"# Python {platform.python_version()}", *(found[name] for name in sorted(found))]
    return "\n".join(lines) + "\n"


def described(summaries: Mapping[str, SplitSummary]) -> dict[str, Any]:
    """A data set for the manifest."""
    return {split: asdict(summary) for split, summary in summaries.items()}


def fingerprints(splits: Mapping[str, Any]) -> dict[str, str]:
    """Of a data set as a manifest describes it, by split."""
    return {split: told["fingerprint"] for split, told in splits.items()}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _git() -> dict[str, Any] | None:
    """The commit that this code stands at, and whether it was changed since; None outside git."""
    is_tracked = _said("git", "ls-files", "--error-unmatch", Path(__file__).name) is not None
    commit = _said("git", "rev-parse", "HEAD")
    if commit is None or not is_tracked:  # installed, perhaps beneath a repository of its own
        return None
    return {"commit": commit, "dirty": _said("git", "status", "--porcelain") != ""}


def _machine() -> dict[str, Any]:
    gpus = _said("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "num_cpus": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "gpus": gpus.splitlines() if gpus else [],
    }


def _said(*command: str) -> str | None:
    """What a command prints, or None where it is missing or fails."""
    if shutil.which(command[0]) is None:
        return None
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=here, timeout=10
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return found.stdout.strip()
