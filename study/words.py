"""Numbers of things, as a sentence says them."""


def counted(num: int, noun: str) -> str:
    """`1 pair`, `2 pairs`, `0 pairs`."""
    return f"{num} {noun}" if num == 1 else f"{num} {noun}s"
