"""What arms are tuned for."""

from __future__ import annotations

from typing import Literal

from study.space_types import Part


class Goal(Part):
    """A metric, and which way it is to go."""

    metric: str
    """A metric of the validation split, `val/<task>/<metric>`."""
    mode: Literal["min", "max"]
    """Whether less of it is better, or more."""


class Objective(Goal):
    """What an arm is tuned for."""

    fallback: str | None = None
    """Used instead, in the same mode, where the validation split has no truth for `metric`: a real
    KITTI drive without lidar, say."""
    against: tuple[Goal, ...] = ()
    """What it is traded against. The search then looks for trials that none other beats in all of
    them, the Pareto front; the best of an arm still is the one that is best in `metric`."""

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The objective itself, and what it is traded against."""
        return (self, *self.against)
