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
    told = []
    for e in error.errors():
        place, problem = ".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, ")
        told.append(f"{place}: {problem}, found {e['input']!r}" if place else problem)
    return "; ".join(told)
