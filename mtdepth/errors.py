"""How a command line tells an error."""

from __future__ import annotations


def in_words(error: Exception) -> str:
    """`error: ` and the message; where it has several lines, the later ones are indented."""
    lines = (" ".join(line.split()) for line in str(error).splitlines())
    return "error: " + "\n  ".join(line for line in lines if line)
