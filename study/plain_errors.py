"""pydantic's errors in plain words: what was expected, what was found, what was meant."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from study.documents import FieldError, FieldPath

MAX_NAMES = 17
"""More than these are not listed in an error."""
_EXPECTED = {
    "missing": "missing; it has no default",
    "int": "expected a whole number",
    "float": "expected a number",
    "bool": "expected true or false",
    "string": "expected text",
    "path": "expected a path",
    "tuple": "expected a list",
    "list": "expected a list",
    "dict": "expected fields of its own",
    "model": "expected fields of its own",
    "finite": "expected a finite number",
    "greater_than": "expected more than {gt:g}",
    "greater_than_equal": "expected at least {ge:g}",
    "less_than": "expected less than {lt:g}",
    "less_than_equal": "expected at most {le:g}",
    "multiple_of": "expected a multiple of {multiple_of:g}",
    "literal_error": "expected {expected}",
    "too_short": "expected at least {min_length} of them",
    "too_long": "expected at most {max_length} of them",
}
"""By an error's type, or by its first word."""


def first_field_error(error: ValidationError, model: type[BaseModel]) -> FieldError:
    """The one mistake to tell: an unknown name before all others, as it often explains them."""
    details = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    return in_plain_words(details[0], model)


def in_plain_words(detail: ErrorDetails, model: type[BaseModel]) -> FieldError:
    """One of pydantic's errors, with the path of its field."""
    at_key = detail["loc"][-1:] == ("[key]",)
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        valid = [*field_names(model, path[:-1]), *(dotted_fields(model) if path[1:] == () else ())]
        return FieldError(path, f"unknown field; {suggestion(path[-1], valid)}", at_key=True)
    if kind == "value_error":
        text = str(context["error"])
        found = "" if "found" in text or isinstance(detail["input"], dict) else _found(detail)
        return FieldError(path, text + found, at_key=at_key)
    if kind == "literal_error" and isinstance(detail["input"], str):
        valid = re.findall(r"'([^']*)'", str(context["expected"]))
        near = difflib.get_close_matches(detail["input"], valid, n=1, cutoff=0.6)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        return FieldError(
            path, f"expected {context['expected']}{_found(detail)}{meant}", at_key=at_key
        )
    words = _EXPECTED.get(kind) or _EXPECTED.get(kind.split("_")[0]) or detail["msg"].lower()
    found = "" if kind == "missing" else _found(detail)
    return FieldError(path, words.format(**context) + found, at_key=at_key)


def _found(detail: ErrorDetails) -> str:
    value = detail["input"]
    if value is None:
        return ", found nothing"
    if isinstance(value, bool):
        return f", found {str(value).lower()}"
    if isinstance(value, dict):
        return ", found fields"
    text = repr(value)
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return f", found the text {shown}" if isinstance(value, str) else f", found {shown}"


def suggestion(name: str, valid: Iterable[str]) -> str:
    """The nearest valid name, or all of them where none is near.

    Args:
        name: what was said.
        valid: names; of a dotted one, the last part may be what was meant: `lr` for `optimizer.lr`.
    """
    names = sorted(set(valid))
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    near = near or [long for long in names if long.endswith(f".{name.rsplit('.', 1)[-1]}")]
    if near:
        return f"did you mean {near[0]!r}?"
    shown = [short for short in names if "." not in short] or names
    if len(shown) > MAX_NAMES:
        shown = [*shown[: MAX_NAMES // 2], f"and {len(shown) - MAX_NAMES // 2} more"]
    return f"valid here: {', '.join(shown)}" if names else "nothing is valid here"


def field_names(model: type[BaseModel], path: FieldPath = ()) -> list[str]:
    """The fields that are valid at a path below a model."""
    found = _model_at(model, path)
    return list(found.model_fields) if found else []


def dotted_fields(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """All fields of a model that hold values, by dotted name."""
    for name, info in model.model_fields.items():
        below = _model_in(info.annotation)
        if below is None:
            yield prefix + name
        else:
            yield from dotted_fields(below, f"{prefix}{name}.")


def _model_at(model: type[BaseModel], path: FieldPath) -> type[BaseModel] | None:
    here: Any = model
    for part in path:
        inner = _model_in(here)
        if inner is not None:
            if part not in inner.model_fields:
                return None
            here = inner.model_fields[part].annotation
        else:
            here = _mapping_value(here)
    return _model_in(here)


def _mapping_value(annotation: Any) -> Any:
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return get_args(annotation)[1]
    return None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation stands for, be it optional."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [_model_in(option) for option in get_args(annotation)]
        return next((model for model in inner if model is not None), None)
    return None
