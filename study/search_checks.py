"""What a space searches, held against the training that it is searched in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from study.conditions import searched_by
from study.documents import FieldError, FieldPath
from study.first_points import check_first_points
from study.nesting import expanded
from study.plain_errors import dotted_fields, first_field_error, suggestion
from study.search_language import Parameter, Search
from study.settings import KINDS, OF_CONFIRM, strictly
from study.space import Space


def check_search(space: Space) -> None:
    """Whether every searched parameter is a field, can have its values, and belongs to an arm.

    Raises:
        FieldError: with the path of the field that says otherwise.
    """
    if space.search is None:
        return
    valid = [name for name in dotted_fields(KINDS[space.kind]) if name not in OF_CONFIRM]
    for name, parameter in space.search.space.items():
        path: FieldPath = ("search", "space", name)
        if name in OF_CONFIRM:
            raise FieldError(path, OF_CONFIRM[name], at_key=True)
        if name not in valid:
            raise FieldError(path, f"unknown field; {suggestion(name, valid)}", at_key=True)
        _check_conditions(space, name, parameter, valid)
    searched: set[str] = set()
    for arm in space.arms:
        try:
            parameters = searched_by(space, arm)
        except ValueError as error:
            raise FieldError(("search", "space"), str(error)) from None
        for name, parameter in parameters.items():
            _check_values(space, arm, name, parameter)
            _check_grid(space.search, name, parameter)
        searched |= set(parameters)
    for name, parameter in space.search.space.items():
        if name not in searched:
            wanted = ", ".join(f"{field} = {value}" for field, value in parameter.when.items())
            raise FieldError(("search", "space", name, "when"), f"no arm ever has {wanted}")
    check_first_points(space)


def _check_conditions(space: Space, name: str, parameter: Parameter, valid: list[str]) -> None:
    for field, wanted in parameter.when.items():
        path: FieldPath = ("search", "space", name, "when", field)
        if field not in valid:
            raise FieldError(path, f"unknown field; {suggestion(field, valid)}", at_key=True)
        arm = next(iter(space.arms))
        if problem_with(space, arm, field, wanted) is None:
            continue
        for value in wanted if isinstance(wanted, list) and wanted else [wanted]:
            wrong = problem_with(space, arm, field, value)
            if wrong:
                raise FieldError(path, wrong)


def _check_values(space: Space, arm: str, name: str, parameter: Parameter) -> None:
    path: FieldPath = ("search", "space", name)
    if reaches(expanded(space.arms[arm].set), tuple(name.split("."))):
        problem = f"arm {arm!r} sets this field itself, so it cannot be searched there"
        raise FieldError(path, problem, at_key=True)
    for field, value in _extremes(parameter):
        wrong = problem_with(space, arm, name, value)
        if wrong:
            raise FieldError((*path, *field), f"{wrong} (as {name} of arm {arm!r})")


def _check_grid(search: Search, name: str, parameter: Parameter) -> None:
    for field in parameter.when if search.sampler_of(name) == "grid" else ():
        if search.sampler_of(field) != "grid":
            problem = f"a grid cannot wait for what is sampled; {field} needs `sampler: grid` too"
            raise FieldError(("search", "space", name, "when", field), problem, at_key=True)


def _extremes(parameter: Parameter) -> Iterator[tuple[FieldPath, Any]]:
    """Values that must be valid, each with the field of the parameter that it comes from."""
    if parameter.low is not None and parameter.high is not None:
        whole = parameter.type == "int"
        yield ("low",), int(parameter.low) if whole else parameter.low
        yield ("high",), int(parameter.high) if whole else parameter.high
        if not whole:
            yield ("type",), parameter.low + (parameter.high - parameter.low) / 2.7182818
    elif parameter.type == "bool":
        yield from ((("type",), value) for value in (False, True))
    else:
        for index, choice in enumerate(parameter.choices or ()):
            yield ("choices", str(index)), choice


def problem_with(space: Space, arm: str, name: str, value: Any) -> str | None:
    """Why a field of an arm cannot have a value, or None if it can."""
    try:
        strictly(space, space.arm_config(arm, {name: value}))
    except ValidationError as error:
        return first_field_error(error, KINDS[space.kind]).problem
    return None


def reaches(settings: Any, path: FieldPath) -> bool:
    """Whether nested settings say something at a path."""
    for part in path:
        if isinstance(settings, list) and part.isdigit():
            return True
        if not isinstance(settings, dict) or part not in settings:
            return False
        settings = settings[part]
    return bool(settings != {})
