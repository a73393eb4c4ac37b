"""What it takes to repeat a study, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from study.plan import in_words_by_arm
from study.results import Results
from study.words import counted


def needed(results: Results) -> list[tuple[str, str]]:
    """Seeds, data, code, versions and hardware: a name, and what it was.

    What the manifest does not say is left out.
    """
    manifest = results.manifest
    told = {
        "seeds": _seeds(results),
        "data": _data(manifest.get("data") or {}),
        "code": _code(manifest.get("git")),
        "versions": ", ".join(f"{k} {v}" for k, v in (manifest.get("versions") or {}).items()),
        "hardware": _hardware(manifest.get("machine") or {}, results),
    }
    return [(name, text) for name, text in told.items() if text]


def _seeds(results: Results) -> str:
    space = results.space
    parts = []
    if space.search is not None:
        parts.append(f"{space.search.sampler.seed} for the search")
    if space.confirm.seeds:
        parts.append(f"{', '.join(map(str, space.confirm.seeds))} for confirmation")
    return "; ".join(parts)


def _data(sets: Mapping[str, Any]) -> str:
    """Size and fingerprint of each split."""
    found = []
    for splits in sets.values():
        parts = (
            f"{split} {counted(told['num_samples'], 'image')}, "
            f"fingerprint {told.get('fingerprint', 'unknown')}"
            for split, told in splits.items()
        )
        found.append("; ".join(parts))
    return " | ".join(dict.fromkeys(found))


def _code(git: Mapping[str, Any] | None) -> str:
    if not git:
        return ""
    dirty = ", with changes that were not committed" if git.get("dirty") else ""
    return f"commit {git.get('commit')}{dirty}"


def _hardware(machine: Mapping[str, Any], results: Results) -> str:
    if not machine:
        return ""
    cpus, memory = machine.get("num_cpus"), machine.get("memory_gib")
    gpus = ", ".join(map(str, machine.get("gpus") or [])) or "no GPU"
    each = "; ".join(in_words_by_arm(results.space))
    return f"{machine.get('system')}, {cpus} cores, {memory} GiB, {gpus}; a trial had {each}"
