"""A study that goes on with another space: refused, or extended by more of the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.events import now
from study.files import write_atomically
from study.ledger import Ledger
from study.preflight import Say, check_data, check_software, refuse_other_data, resolve_objectives
from study.space import Space
from study.space_loading import space_as_yaml
from study.trainable import Trainable

_ABSENT = object()
_MAY_GROW = (
    "confirm.seeds (more, behind the others), search.trials_per_arm (a larger one), new arms"
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that two spaces say differently."""

    field: str
    was: Any
    now: Any

    @property
    def extends(self) -> bool:
        """Whether it adds to what there is, and leaves all of that as it is."""
        if self.field == "confirm.seeds":
            return bool(self.now[: len(self.was)] == self.was)
        if self.field == "search.trials_per_arm":
            both_search = isinstance(self.was, int) and isinstance(self.now, int)
            return both_search and self.now > self.was
        is_arm = self.field.startswith("arms.") and self.field.count(".") == 1
        return is_arm and self.was is _ABSENT

    def __str__(self) -> str:
        if self.was is _ABSENT:
            return f"{self.field}: is new"
        gone = self.now is _ABSENT
        return f"{self.field}: was {_said(self.was)}, now {'gone' if gone else _said(self.now)}"


def differences(old: Space, new: Space) -> list[Difference]:
    """What a space says differently, field by field; lists are told as a whole."""
    return list(_below("", old.model_dump(mode="json"), new.model_dump(mode="json")))


def refuse_differences(directory: Path, found: list[Difference]) -> None:
    """Refuses to go on with another space.

    Raises:
        ValueError: a line for each difference, and what `--extend` would allow of them.
    """
    if not found:
        return
    lines = [f"{one} (--extend allows it)" if one.extends else str(one) for one in found]
    raise ValueError(
        f"--resume {directory}: expected the space that the study was started with, found another;"
        f"\nleave --space out, or run it as a study of its own:\n" + "\n".join(lines)
    )


def extend(ledger: Ledger, space: Space, trainable: Trainable, say: Say) -> None:
    """Gives a study a larger space; what was trained and tested stays.

    The space before is kept as `space-1.yaml`, `space-2.yaml`, and so on.

    Args:
        ledger: of the study, open for writing; it still tells the space before.
        space: the larger one.
        trainable: what is trained.
        say: hears of what is looked at.

    Raises:
        ValueError: it is not the same and more, or a new arm can't be trained.
    """
    found = differences(ledger.space, space)
    if others := [str(one) for one in found if not one.extends]:
        raise ValueError(
            f"--extend: expected more of the same: {_MAY_GROW}; found another study:\n"
            + "\n".join(others)
        )
    if not found:
        return
    for line in _what_stays(ledger, found):
        say(line)
    check_software(space, trainable)
    summaries, data = check_data(space, trainable, say)
    refuse_other_data(ledger.manifest.get("data") or {}, data)
    resolved = resolve_objectives(space, summaries, say)
    manifest = ledger.manifest
    objectives = {arm: one.model_dump() for arm, one in resolved.items()} | manifest["objectives"]
    extension = {
        "time": now(),
        "changes": [str(one) for one in found],
        "test_opened": manifest.get("test_opened"),
    }
    before = manifest.get("extensions", [])
    if before and before[-1]["changes"] == extension["changes"]:  # cut off before the last line
        before = before[:-1]
    directory = ledger.directory
    old = (directory / "space.yaml").read_text(encoding="utf-8")
    write_atomically(directory / f"space-{len(before) + 1}.yaml", old)
    ledger.update_manifest(
        objectives=objectives, data=data, ended=None, extensions=[*before, extension]
    )
    write_atomically(directory / "space.yaml", space_as_yaml(space))


def _what_stays(ledger: Ledger, found: list[Difference]) -> Iterator[str]:
    """What an extension leaves as it is, though one might think otherwise."""
    confirmed = dict.fromkeys(r.dealt.arm for r in ledger.records.values() if r.phase == "confirm")
    if confirmed and any(one.field == "search.trials_per_arm" for one in found):
        yield (
            f"Note: confirmed already: {', '.join(confirmed)}. These keep the settings that they "
            "were confirmed with, also if the search goes on to find better ones."
        )
    new = [one.field.removeprefix("arms.") for one in found if one.was is _ABSENT]
    if new and (packing := ledger.manifest.get("packing")):
        many = packing["trials_a_gpu"]
        yield (
            f"Note: resources.gpus: auto stays {1 / many if many else 0:g}, as it was measured "
            f"without {', '.join(new)}."
        )


def _below(name: str, old: Any, new: Any) -> Iterator[Difference]:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        if old != new:
            yield Difference(field=name, was=old, now=new)
        return
    for key in dict.fromkeys([*old, *new]):
        field = f"{name}.{key}" if name else str(key)
        yield from _below(field, old.get(key, _ABSENT), new.get(key, _ABSENT))


def _said(value: Any) -> str:
    return "nothing" if value is None else f"{value}"
