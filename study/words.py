"""Numbers of things and errors, as a sentence says them."""

MAX_LINE = 500
"""Characters of an error that are told."""


def trial_noun(kind: str) -> str:
    """What a trial of this kind of study is."""
    return "clustering" if kind == "clustering" else "training"


def counted(num: int, noun: str) -> str:
    """`1 pair`, `2 pairs`, `0 pairs`."""
    return f"{num} {noun}" if num == 1 else f"{num} {noun}s"


def error_line(error: BaseException) -> str:
    """`ValueError: what it says`, in a line."""
    return one_line(f"{type(error).__name__}: {error}")


def one_line(text: str) -> str:
    """A text in a line that any file takes, cut off where it is long."""
    return encodable(" ".join(text.split()))[:MAX_LINE]


def encodable(text: str) -> str:
    """A text with escapes for what no file takes: the bytes of a path that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
