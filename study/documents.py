"""What was said, and where: data of which every field knows its place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

FieldPath = tuple[str, ...]


class FieldError(ValueError):
    """Something is wrong with one field; who read it knows the place."""

    def __init__(self, path: FieldPath, problem: str, *, at_key: bool = False) -> None:
        super().__init__(problem)
        self.path = path
        self.problem = problem
        self.at_key = at_key


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a field was said: `file:line:column` of its name and of its value."""

    key: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """Plain data (JSON's types), and the place of every field."""

    data: dict[str, Any]
    places: dict[FieldPath, Place] = field(default_factory=dict)
    anew: tuple[FieldPath, ...] = ()
    """Fields that were said elsewhere, over the file's."""

    def describe(self, error: FieldError) -> str:
        """The error in one line: place, field, problem."""
        path = error.path
        while path and path not in self.places:
            path = path[:-1]
        place = self.places[path]
        where = place.key if error.at_key or path != error.path else place.value
        places = dict.fromkeys([where, *self._said_below(error.path)])
        named = f"{'.'.join(error.path)}: " if error.path else ""
        return f"{' with '.join(places)}: {named}{error.problem}"

    def _said_below(self, path: FieldPath) -> list[str]:
        """What was said elsewhere of parts of a field: an error of the whole may come of it."""
        below = [p for p in self.anew if len(p) > len(path) and p[: len(path)] == path]
        return [self.places[p].key for p in below if p in self.places]

    def replaced(self, path: FieldPath, data: dict[str, Any], place: Place) -> Document:
        """The document with new data, in which `path` and all below it were said elsewhere."""
        kept = {p: old for p, old in self.places.items() if p[: len(path)] != path}
        for length in range(1, len(path) + 1):
            kept.setdefault(path[:length], place)
        return replace(self, data=data, places=kept, anew=(*self.anew, path))
