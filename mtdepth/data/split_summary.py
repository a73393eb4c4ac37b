"""What was found when a data set was looked over."""

from __future__ import annotations

from dataclasses import dataclass

from mtdepth.metrics.names import Truth


@dataclass(frozen=True, kw_only=True)
class SplitSummary:
    """What one split of a data set holds."""

    num_samples: int
    truth: Truth
    """What its samples can be judged against; present where any sample has it."""
    fingerprint: str
    """Of its list, and of the names and sizes of its images; or of the whole pack."""
    unlabelled: str | None = None
    """Why the task 'instances' can't be learned from it; None where it can."""
