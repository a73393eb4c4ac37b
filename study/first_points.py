"""Points that arms try before their sampler has a say: `search.enqueue`."""

from __future__ import annotations

from typing import Any

from study.budget import contains, values_in_words
from study.conditions import searched_by
from study.documents import FieldError, FieldPath
from study.plain_errors import suggestion
from study.space import Space


def first_points(space: Space, arm: str) -> list[dict[str, Any]]:
    """The points of an arm: those of which it searches every parameter."""
    searched = set(searched_by(space, arm))
    return [
        point for point in (space.search.enqueue if space.search else ()) if searched >= {*point}
    ]


def check_first_points(space: Space) -> None:
    """Whether every point lies within the space, and an arm is there to try it.

    Raises:
        FieldError: with the path of the value that does not.
    """
    assert space.search is not None
    points = space.search.enqueue
    for index, point in enumerate(points):
        path: FieldPath = ("search", "enqueue", str(index))
        if not point:
            raise FieldError(path, "expected values of searched parameters, found none")
        for name, value in point.items():
            _check_value(space, (*path, name), name, value)
        if point in points[:index]:
            raise FieldError(
                path, f"this point is said twice, first as number {points.index(point)}"
            )
        if not any(point in first_points(space, arm) for arm in space.arms):
            raise FieldError(path, f"no arm searches {' and '.join(point)}", at_key=True)


def _check_value(space: Space, path: FieldPath, name: str, value: Any) -> None:
    assert space.search is not None
    if name not in space.search.space:
        problem = f"not searched; {suggestion(name, space.search.space)}"
        raise FieldError(path, problem, at_key=True)
    if space.search.sampler_of(name) == "grid":
        problem = "a grid deals each value as often as any other, so that none can be tried first"
        raise FieldError(path, problem, at_key=True)
    parameter = space.search.space[name]
    if not contains(parameter, value):
        raise FieldError(path, f"expected {values_in_words(parameter)}, found {value!r:.60}")
