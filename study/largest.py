"""What has to be measured to know the most GPU memory that any trial of a study takes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from study.budget import greatest_of, values_of
from study.conditions import searched_by
from study.search_language import Parameter
from study.space import Space

MAX_AN_ARM = 16
_NO_MATTER = ("optimizer", "augmentation", "depth", "offsets", "optics", "epochs")
"""Settings that take no GPU memory, with all that lies below them."""
_NO_MATTER_BUT = {"weighting": "weighting.name"}
"""As those, but for one field."""


def largest_trials(space: Space, arm: str) -> dict[str, dict[str, Any]]:
    """Settings of an arm's trials, by a name, with what is searched at what may take the most.

    Numbers are taken at their greatest; of anything else, each value.

    Raises:
        ValueError: there are too many to measure.
    """
    searched = {n: _ends(p) for n, p in searched_by(space, arm).items() if _matters(n)}
    points = [
        dict(zip(searched, values, strict=True)) for values in itertools.product(*searched.values())
    ]
    if len(points) > MAX_AN_ARM:
        raise ValueError(
            f"resources.gpus: auto: expected at most {MAX_AN_ARM} kinds of trials an arm to "
            f"measure, found {len(points)} of {arm}, by {', '.join(searched)}; say a number"
        )
    return {_named(arm, point): space.arm_config(arm, point) for point in points}


def _matters(name: str) -> bool:
    part = name.split(".")[0]
    return part not in _NO_MATTER and _NO_MATTER_BUT.get(part, name) == name


def _ends(parameter: Parameter) -> list[Any]:
    """The greatest value of a number, or all values."""
    if parameter.type == "float":
        return [parameter.high]
    values = [] if parameter.type == "int" else values_of(parameter)
    if parameter.type == "int" or all(type(value) in (int, float) for value in values):
        return [greatest_of(parameter)]
    return values


def _named(arm: str, point: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in point.items())
    return f"{arm} ({told})" if told else arm
