"""Validation on drives that training never sees.

Eigen-Zhou's validation frames were drawn at random from the drives that it trains on, so that
nearly all of them lie inside a training triplet. The same frames, divided by drive, have no frame
in common, nor do their triplets.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

SUFFIX = "_by_drive"
"""After a split's name, stands for its training and validation frames divided anew."""
SHARE = 0.1
"""Of all frames, how many validation has at most."""


def validation_drives(drives: Iterable[str]) -> frozenset[str]:
    """Drives to validate on: the same on every machine, and in whichever order they are told.

    They are asked in the order of the SHA-256 of their names, and each is taken with which
    validation has no more than `SHARE` of all frames.

    Args:
        drives: of every training and validation frame, its drive.

    Raises:
        ValueError: every drive has more than `SHARE` of all frames.
    """
    sizes = Counter(drives)
    limit, num_taken, taken = SHARE * sizes.total(), 0, set[str]()
    for drive in sorted(sizes, key=lambda name: hashlib.sha256(name.encode()).digest()):
        if num_taken + sizes[drive] <= limit:
            num_taken += sizes[drive]
            taken.add(drive)
    if not taken:
        raise ValueError(
            f"data.split: expected a drive of at most {SHARE:.0%} of all frames to validate on, "
            f"found {len(sizes)} drives of at least {min(sizes.values(), default=0)} of "
            f"{sizes.total()} frames"
        )
    return frozenset(taken)
