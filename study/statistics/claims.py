"""What may be claimed of a difference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from study.statistics.samples import LEVEL
from study.statistics.significance import pairs_needed
from study.statistics.summaries import Difference


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Whether a difference may be claimed, after correction for all comparisons of its study."""

    verdict: Literal["claim", "hint", "none"]
    """`claim`: p (Holm) is at most 0.05. `hint`: all pairs agree, and are too few to ever claim
    anything. `none`: it may be chance."""
    num_needed: int | None
    """Pairs that would be needed, where the pairs that there are can't reach a claim whatever
    they hold; else None."""


def decide(difference: Difference, p_adjusted: float, num_comparisons: int) -> Claim:
    """Decides what may be said of a difference.

    Args:
        difference: over the seeds of a pair of arms.
        p_adjusted: its p-value after Holm's correction; NaN allows nothing.
        num_comparisons: over how many it was corrected.
    """
    if p_adjusted <= LEVEL:
        return Claim(verdict="claim", num_needed=None)
    needed = pairs_needed(LEVEL, num_comparisons)
    can_reach = difference.smallest_p * num_comparisons <= LEVEL
    if can_reach or math.isnan(difference.p_value):
        return Claim(verdict="none", num_needed=None if can_reach else needed)
    agrees = difference.p_value <= difference.smallest_p
    return Claim(verdict="hint" if agrees else "none", num_needed=needed)
