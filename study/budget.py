"""What an arm's search consists of, as far as it can be counted without Optuna."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from study.conditions import matches, searched_by
from study.search_language import Parameter
from study.space import Space


def num_search_trials(space: Space, arm: str) -> int:
    """How many search trials an arm gets.

    That is the study's budget; or the size of the grid, where nothing else is searched; or one,
    where the arm has nothing to search, since a second training would be the same as the first.
    """
    if space.search is None:
        return 0
    parameters = searched_by(space, arm)
    if not parameters:
        return 1
    swept = swept_by(space, arm)
    if len(swept) < len(parameters):
        return space.search.trials_per_arm
    return min(space.search.trials_per_arm, len(grid_points(swept)))


def swept_by(space: Space, arm: str) -> dict[str, Parameter]:
    """The parameters of an arm whose values are dealt evenly, as of a grid."""
    search = space.search
    searched = searched_by(space, arm)
    return {n: p for n, p in searched.items() if search and search.sampler_of(n) == "grid"}


def grid_points(parameters: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    """Every combination of an arm's values, the last parameter changing fastest.

    Args:
        parameters: by dotted name, conditions before what depends on them.
    """
    points: dict[str, dict[str, Any]] = {}
    for values in itertools.product(*(values_of(p) for p in parameters.values())):
        point: dict[str, Any] = {}
        for (name, parameter), value in zip(parameters.items(), values, strict=True):
            if applies(parameter, point):
                point[name] = value
        points.setdefault(repr(point), point)
    return list(points.values())


def values_of(parameter: Parameter) -> list[Any]:
    """The values of a parameter that has finitely many."""
    if parameter.type == "bool":
        return [False, True]
    if parameter.choices is not None:
        return list(parameter.choices)
    values = [parameter.nth_value(index) for index in range(int(parameter.num_values()))]
    return [int(v) for v in values] if parameter.type == "int" else values


def greatest_of(parameter: Parameter) -> Any:
    """The greatest value of a parameter that has finitely many, without listing them."""
    if parameter.type == "int":
        return int(parameter.nth_value(int(parameter.num_values()) - 1))
    return max(values_of(parameter))


def values_in_words(parameter: Parameter) -> str:
    """What a parameter may be."""
    if parameter.type == "bool":
        return "true or false"
    if parameter.choices is not None:
        return "one of " + ", ".join(str(choice) for choice in parameter.choices)
    values = f"{parameter.low:g} to {parameter.high:g}"
    values += " (log)" if parameter.log else ""
    return values + (f" in steps of {parameter.step:g}" if parameter.step else "")


def applies(parameter: Parameter, params: Mapping[str, Any]) -> bool:
    """Whether a parameter is searched beside the values that are chosen already."""
    return all(name in params and matches(params[name], v) for name, v in parameter.when.items())


def contains(parameter: Parameter, value: Any) -> bool:
    """Whether a value is one that the parameter could take."""
    if parameter.type == "bool" or parameter.choices is not None:
        return any(
            value == own and isinstance(value, bool) == isinstance(own, bool)
            for own in values_of(parameter)
        )
    assert parameter.low is not None
    assert parameter.high is not None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    if not parameter.low <= value <= parameter.high:
        return False
    steps = (value - parameter.low) / (parameter.step or 1.0)
    free = parameter.type == "float" and parameter.step is None
    return free or abs(steps - round(steps)) < 1e-8
