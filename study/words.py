"""Numbers of things, as a sentence says them."""


def trial_noun(kind: str) -> str:
    """What a trial of this kind of study is."""
    return "clustering" if kind == "clustering" else "training"


def counted(num: int, noun: str) -> str:
    """`1 pair`, `2 pairs`, `0 pairs`."""
    return f"{num} {noun}" if num == 1 else f"{num} {noun}s"
