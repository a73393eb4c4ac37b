"""When a study has spent its budget, as its events tell it: the same after any interruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from study.events import Dealt, EpochEnded, Event, TrialEnded
from study.space import Budget, Space
from study.words import counted

SECONDS_AN_HOUR = 3600.0
IN_WORDS: Mapping[str, Callable[[float], str]] = {
    "trials": lambda limit: counted(int(limit), "trial"),
    "device_hours": lambda limit: f"{limit:g} device-hours",
    "hours": lambda limit: f"{limit:g} hours",
}
"""Limits of a budget, each with how a sentence says it."""


class Limits:
    """Counts what the trials of a study have used.

    It listens to the ledger, and goes by nothing else: time counts up to a trial's last report, so
    that what a kill has lost costs nothing. No event is counted twice.

    Args:
        budget: what may be used.
        num_devices: how many devices a trial holds, by its arm.
    """

    def __init__(self, budget: Budget, num_devices: Mapping[str, float]) -> None:
        self._budget, self._num_devices = budget, num_devices
        self._epochs: dict[str, int] = {}
        self._arms: dict[str, str] = {}
        self._device_seconds = 0.0
        self._spans: list[tuple[float, float]] = []
        """When any trial ran: from and to, in order, none touching another."""

    def apply(self, event: Event) -> None:
        """Learns of an event."""
        if isinstance(event, Dealt):
            self._epochs.setdefault(event.trial_key, 0)
            self._arms[event.trial_key] = event.arm
        elif isinstance(event, EpochEnded):
            if event.epoch > self._epochs[event.trial_key]:
                self._epochs[event.trial_key] = event.epoch
                self._ran(event)
        elif isinstance(event, TrialEnded):
            self._ran(event)

    @property
    def used(self) -> dict[str, float]:
        """What was used, by the names of the budget's limits."""
        return {
            "trials": len(self._epochs),
            "device_hours": self._device_seconds / SECONDS_AN_HOUR,
            "hours": sum(end - start for start, end in self._spans) / SECONDS_AN_HOUR,
        }

    def spent(self) -> str | None:
        """The limit that is reached, so that no more trials are dealt; None if there is none."""
        used = self.used
        limits = {name: getattr(self._budget, name) for name in used}
        reached = [n for n, limit in limits.items() if limit is not None and used[n] >= limit]
        return reached[0] if reached else None

    def cuts(self) -> bool:
        """Whether trials that run are to end with the epoch that they report next.

        A limit of trials lets them run to their end.
        """
        return self.spent() not in (None, "trials")

    def _ran(self, event: EpochEnded | TrialEnded) -> None:
        end = datetime.fromisoformat(event.time).timestamp()
        start = end - event.seconds
        self._device_seconds += event.seconds * self._num_devices[self._arms[event.trial_key]]
        while self._spans and self._spans[-1][1] >= start:
            before = self._spans.pop()
            start, end = min(start, before[0]), max(end, before[1])
        self._spans.append((start, end))


def limits_of(space: Space) -> Limits:
    """The limits of a study that has done nothing yet."""
    return Limits(space.budget, space.num_devices)


def limit_in_words(budget: Budget, name: str) -> str:
    """`8 trials`, `2 device-hours`."""
    return IN_WORDS[name](getattr(budget, name))
