"""Nested dictionaries, and the dotted names that reach into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def expanded(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings without dotted keys: `{"a.b": 1}` becomes `{"a": {"b": 1}}`."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        inner: Any = expanded(value) if isinstance(value, Mapping) else value
        for part in reversed(str(name).split(".")):
            inner = {part: inner}
        nested = merged(nested, inner)
    return nested


def merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Both without dotted keys; where both name a value, `upper` holds, and mappings are merged."""
    result = dict(lower)
    for name, value in upper.items():
        below = result.get(name)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[name] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result


def flattened(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its dotted name."""
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def value_at(nested: Mapping[str, Any], dotted: str, default: Any = None) -> Any:
    """The value that a dotted name reaches, or the default where the way ends."""
    value: Any = nested
    for part in dotted.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return default
        value = value[part]
    return value
