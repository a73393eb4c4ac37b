"""Names and texts as MLflow takes them, whatever they hold."""

from __future__ import annotations

import hashlib
import re

MAX_NAME = 250
"""Characters of the name of a metric, a param or a tag."""
MAX_TAG = 8000
MAX_PARAM = 6000
_NAME = re.compile(r"[A-Za-z0-9_. -]+(/[A-Za-z0-9_. -]+)*")
_HASH = 8


def safe_name(name: str) -> str:
    """The name of a metric or a param: a valid one as it is, and another told apart by a hash.

    MLflow knows letters, digits, `_`, `-`, `.`, spaces and slashes, and takes a name for a path,
    which has to stay within its directory.
    """
    if is_safe(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
    parts = [re.sub(r"[^A-Za-z0-9_. -]", "_", part) for part in name.split("/")]
    kept = "/".join("_" if part in ("", ".", "..") else part for part in parts)
    return f"{kept[: MAX_NAME - _HASH - 1].rstrip('/')}-{digest}"


def is_safe(name: str) -> bool:
    """Whether MLflow takes a name as it is."""
    inside = not {".", ".."} & set(name.split("/"))
    return len(name) <= MAX_NAME and inside and _NAME.fullmatch(name) is not None


def safe_text(text: str, limit: int) -> str:
    """A text that any database holds, cut off at a number of characters."""
    clean = text.encode("utf-8", "replace").decode().replace("\0", "�")
    if len(clean) <= limit:
        return clean
    note = f"... ({len(clean)} characters in all)"
    return clean[: limit - len(note)] + note
