"""How a command line tells an error."""

from __future__ import annotations

from pydantic import ValidationError


def in_words(error: Exception, who: str = "error") -> str:
    """The message after who says so; where it has several lines, the later ones are indented."""
    lines = (" ".join(line.split()) for line in _message(error).splitlines())
    return f"{who}: " + "\n  ".join(line for line in lines if line)


def _message(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        ": ".join([*filter(None, [".".join(map(str, e["loc"]))]), e["msg"].removeprefix("Value error, ")])
        + (f", found {e['input']!r}" if e["loc"] else "")
        for e in error.errors()
    )
