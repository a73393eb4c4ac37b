"""`--set a.b.c=value`: fields said on the command line, over those of the file."""

from __future__ import annotations

import copy
from typing import Any

from study.documents import Document, FieldPath, Place
from study.search_language import Parameter
from study.yaml_marks import parse_yaml

_SPACES = (("search", "space"), ("inner_search", "space"))
_OPEN = (("arms",), *_SPACES)
"""Mappings whose names are free: an entry can be added whole, or taken out with null."""


def with_override(document: Document, argument: str) -> Document:
    """The document with one field said anew.

    Args:
        document: with nested settings, without dotted keys in `base` and `arms.*.set`.
        argument: `a.b.c=value`, whose value is YAML. Sections on the way are made where the
            space lets them be left out. `null` takes an arm or a searched parameter out.

    Raises:
        ValueError: the argument is no such thing, or its way does not exist; in one line.
    """
    said = f"--set {' '.join(argument.split())}"
    name, separator, text = argument.partition("=")
    if not separator or not all(name.split(".")):
        raise ValueError(f"{said}: expected a dotted field, '=' and a value, such as base.epochs=2")
    try:
        value = parse_yaml(text)
    except ValueError as error:
        raise ValueError(f"{said}: {error}") from None
    path = field_path(name.strip())
    data = copy.deepcopy(document.data)
    try:
        _assign(data, path, value)
    except ValueError as error:
        raise ValueError(f"{said}: {error}") from None
    return document.replaced(path, data, Place(key=said, value=said))


def field_path(dotted: str) -> FieldPath:
    """Splits a name into fields; names of searched parameters keep their dots."""
    parts = tuple(dotted.split("."))
    root = parts[:2]
    if root not in _SPACES or len(parts) == 2:
        return parts
    rest = parts[2:]
    for index, part in enumerate(rest[1:], start=1):
        if part not in Parameter.model_fields:
            continue
        inner: FieldPath = (".".join(rest[:index]), part)
        if rest[index + 1 :]:
            below = rest[index + 1 :]
            inner += (".".join(below),) if part == "when" else below
        return (*root, *inner)
    return (*root, ".".join(rest))


def _assign(data: dict[str, Any], path: FieldPath, value: Any) -> None:
    parent = data
    for length, part in enumerate(path[:-1], start=1):
        below = parent.get(part)
        if below is None:
            if path[: length - 1] in _OPEN:
                known = ", ".join(parent) or "none"
                raise ValueError(f"there is no {part!r} in {'.'.join(path[: length - 1])}: {known}")
            below = parent[part] = {}
        if not isinstance(below, dict):
            raise ValueError(f"{'.'.join(path[:length])} is {below!r:.60}, and has no fields")
        parent = below
    if value is None and path[:-1] in _OPEN:
        if path[-1] not in parent:
            raise ValueError(f"there is no {path[-1]!r} to take out of {'.'.join(path[:-1])}")
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
