"""The URL of a place that machines copy from, or write to, by themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_NAME = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9_.=+@-]+"
_PATH = rf"{_NAME}(?:/{_NAME})*"
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_FORMS = {
    "s3": re.compile(rf"s3://(?P<path>{_BUCKET}(?:/{_PATH})?)"),
    "file": re.compile(rf"file://(?P<path>/{_PATH})"),
}


class StoreUrl(str):
    """`s3://bucket/path` of an S3-compatible store, or `file:///path` of a shared mount.

    Args:
        text: has no user, port, query or escapes; whose keys are used, and where the store is,
            tells the environment.

    Raises:
        ValueError: it is none.
    """

    scheme: str
    """`s3` or `file`."""
    path: str
    """As file systems of pyarrow take it: `bucket/path`, or `/path`."""

    def __new__(cls, text: str) -> StoreUrl:  # noqa: D102  # as an `__init__` would be
        plain = text.rstrip("/")
        scheme = plain.partition("://")[0]
        found = _FORMS[scheme].fullmatch(plain) if scheme in _FORMS else None
        if found is None:
            shown = re.sub(r"//[^/]*@", "//***@", text)
            raise ValueError(
                "expected s3://BUCKET/PATH or file:///PATH, of letters, digits and _.=+@- "
                f"(keys and endpoint are told by the environment, AWS_...), found {shown!r}"
            )
        url = super().__new__(cls, plain)
        url.scheme, url.path = scheme, found["path"]
        return url

    def __getnewargs__(self) -> tuple[str]:
        return (str(self),)

    @property
    def bucket(self) -> str:
        """Of an S3-compatible store."""
        return self.path.partition("/")[0]

    def below(self, name: str) -> StoreUrl:
        """The URL of what lies there by a name."""
        return StoreUrl(f"{self}/{name}")


def _place(told: Any) -> Path | StoreUrl:
    if isinstance(told, str):
        return StoreUrl(told) if "://" in told else Path(told)
    if isinstance(told, Path):
        return told
    raise PydanticCustomError("path_type", "Input is not a valid path")


Place = Annotated[
    Path | StoreUrl,
    PlainValidator(_place),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "path"}),
]
"""A path on this machine, or a URL."""
