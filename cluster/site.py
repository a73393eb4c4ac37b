"""What a site says of itself: one YAML file for each way to a cluster, and checked before use.

A value goes into shell strings and into arguments of other programs later. So each has a pattern
that leaves no room for a shell's signs, or for an option in a name's place.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

S = TypeVar("S", bound="Site")


def text(pattern: str, what: str) -> AfterValidator:
    """Refuses a value that the pattern does not match as a whole, and says what was expected."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f"expected {what}, found {value!r}")
        return value

    return AfterValidator(check)


Name = Annotated[
    str, text(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?", "a name of small letters, digits and -")
]
"""Also a label of Kubernetes and DNS; short, as others add to it."""
User = Annotated[str, text(r"[a-z_][a-z0-9_-]{0,31}", "a user's name")]
Host = Annotated[
    str, text(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", "a host's name or IPv4 address")
]
_PART = r"(?!\.\.?(/|$))[A-Za-z0-9._@+-]+"
Directory = Annotated[
    str, text(rf"(/{_PART})+", "an absolute path of letters, digits and ._@+-, without ..")
]
KeyFile = Annotated[
    str, text(rf"~?(/{_PART})+", "a path from / or ~/ of letters, digits and ._@+-, without ..")
]
Image = Annotated[
    str,
    text(
        r"[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*(:\w[\w.-]*)?(@sha256:[0-9a-f]{64})?",
        "an image, <registry>/<name>:<tag>",
    ),
]
Quantity = Annotated[str, text(r"[1-9][0-9]*(m|Mi|Gi|Ti)?", "an amount such as 4, 500m or 16Gi")]
LabelKey = Annotated[
    str, text(r"([a-z0-9][a-z0-9.-]*/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", "a label's name")
]
LabelValue = Annotated[str, text(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", "a label's value")]


class Site(BaseModel):
    """A file of values; those without a default are the site's to give."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def load(model: type[S], path: Path) -> S:
    """Reads a site's file.

    Raises:
        ValueError: values are missing, each of them named, or one is not as expected.
    """
    try:
        told = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: expected YAML, found: {error}") from None
    if not isinstance(told, Mapping):
        raise ValueError(f"{path}: expected `field: value` lines, found {type(told).__name__}")
    given = {key: value for key, value in told.items() if value not in (None, "", [])}
    fields = model.model_fields
    missing = [name for name, field in fields.items() if field.is_required() and name not in given]
    if missing:
        raise ValueError(f"{path}: expected values for {', '.join(missing)}, found none")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ValueError(f"{path}: {_in_words(error, fields)}") from None


def example(model: type[Site]) -> str:
    """A file to fill in: each field with what it means, and its default where there is one."""
    entries = [_entry(name, field) for name, field in model.model_fields.items()]
    return "\n\n".join(entries) + "\n"


def _entry(name: str, field: FieldInfo) -> str:
    told = " ".join((field.description or name).split())
    needed = "Needed. " if field.is_required() else ""
    comment = textwrap.indent(textwrap.fill(needed + told, 96), "# ")
    default = None if field.is_required() else field.default
    return f"{comment}\n{name}:" + ("" if default is None else f" {json.dumps(default)}")


def _in_words(error: ValidationError, fields: Mapping[str, Any]) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"expected the fields {', '.join(fields)}, found {where!r}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
