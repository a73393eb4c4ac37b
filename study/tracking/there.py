"""How much of a run MLflow has already, so that nothing is written twice."""

from __future__ import annotations

from typing import Any

from study.tracking.points import EPOCHS
from study.tracking.shown import REASON, STATUS, WRITTEN, Shown


class There:
    """How much of a run is in MLflow.

    Args:
        run: as MLflow has it; None where nothing is to be taken for granted.
        status: of a run that has just been made.
    """

    def __init__(self, run: Any, status: str | None = None) -> None:
        self.status: str | None = run.info.status if run else status
        self.ended_ms: int | None = run.info.end_time if run else None
        self.tags: dict[str, str] = dict(run.data.tags) if run else {}
        self.params: dict[str, str] = dict(run.data.params) if run else {}
        self.num_epochs = int(run.data.metrics.get(EPOCHS, 0)) if run else 0
        """Epochs whose metrics are there."""

    @classmethod
    def of(cls, shown: Shown) -> There:
        """That of a run which shows all that it is to show."""
        made = cls(None, shown.status)
        made.ended_ms, made.num_epochs = shown.ended_ms, shown.num_epochs
        made.tags, made.params = {**shown.tags}, {**shown.params}
        return made

    def doubted(self) -> There:
        """The same run, of which nothing is taken for granted but what may have to go."""
        made = There(None)
        made.tags = {name: self.tags[name] for name in (REASON,) if name in self.tags}
        return made

    @property
    def written(self) -> str | None:
        """What its tag says; None where nothing is known to be there."""
        return self.tags.get(WRITTEN)

    @property
    def num_pictures(self) -> int:
        """Pictures that are there."""
        return int(self.written.split()[0]) if self.written else 0

    def has(self, shown: Shown) -> bool:
        """Whether nothing is left to write."""
        if any(self.tags.get(name) != shown.tags[name] for name in (WRITTEN, STATUS)):
            return False
        ours = (self.num_epochs, self.status, self.ended_ms)
        return ours == (shown.num_epochs, shown.status, shown.ended_ms)
