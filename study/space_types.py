"""What parts of a space are made of: models that know no field but their own, and safe texts."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def _path_safe(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise ValueError(
            "expected up to 64 letters, digits, '-' and '_', with no '-' or '_' at the start"
        )
    return name


def _study_name(name: str) -> str:
    if name != name.lower():
        raise ValueError("expected lower-case letters")
    return _path_safe(name)


def _database(url: str) -> str:
    """Never shows what it found: there may be a password in it."""
    if not re.fullmatch(r"[a-z][a-z0-9+]*://\S*", url):
        raise ValueError("expected a database URL such as sqlite:///optuna.db, found another text")
    if re.search(r"://[^/@:]*:(?!\$\{\w+\}@)[^/]*@|[?&]password=(?!\$\{)", url):
        raise ValueError(
            "found a password, and this is kept with the study: write ${NAME} instead, and put it "
            "into the environment variable NAME"
        )
    return url


PathSafe = Annotated[str, AfterValidator(_path_safe)]
StudyName = Annotated[str, AfterValidator(_study_name)]
Database = Annotated[str, AfterValidator(_database)]


class Part(BaseModel):
    """A frozen part of a space, which knows no field but its own."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )
