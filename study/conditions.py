"""Which searched parameters belong to an arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from study.nesting import value_at
from study.search_language import Parameter
from study.settings import settings_of
from study.space import Space


def matches(value: Any, wanted: Any) -> bool:
    """Whether a condition holds: the value is the wanted one, or one of the wanted ones."""
    if isinstance(wanted, list | tuple):
        return value in wanted or value == list(wanted)
    return bool(value == wanted)


def searched_by(space: Space, arm: str) -> dict[str, Parameter]:
    """The parameters that an arm searches, by dotted name.

    Those that the arm's own settings rule out are left out. What stays in `when` are conditions
    on other parameters of this arm, and these come before those that depend on them.

    Raises:
        ValueError: conditions go in a circle.
    """
    if space.search is None or not space.arms[arm].search:
        return {}
    settings = settings_of(space, arm).model_dump(mode="json")
    open_parameters = _not_ruled_out(space.search.space, settings)
    ordered: dict[str, Parameter] = {}
    while open_parameters:
        ready = [n for n, p in open_parameters.items() if set(p.when) <= set(ordered)]
        if not ready:
            raise ValueError(f"the conditions of {', '.join(open_parameters)} go in a circle")
        for name in ready:
            ordered[name] = open_parameters.pop(name)
    return ordered


def _not_ruled_out(
    parameters: Mapping[str, Parameter], settings: Mapping[str, Any]
) -> dict[str, Parameter]:
    """Drops parameters until no condition on an arm's settings, or on a dropped one, fails."""
    kept = dict(parameters)
    while True:
        failing = [name for name, p in kept.items() if not _may_hold(p, kept, settings)]
        if not failing:
            break
        for name in failing:
            del kept[name]
    return {
        name: p.model_copy(update={"when": {k: v for k, v in p.when.items() if k in kept}})
        for name, p in kept.items()
    }


def _may_hold(
    parameter: Parameter, kept: Mapping[str, Parameter], settings: Mapping[str, Any]
) -> bool:
    return all(
        field in kept or matches(value_at(settings, field), wanted)
        for field, wanted in parameter.when.items()
    )
