"""What a study trains, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mtdepth.calibration import Calibration
from mtdepth.data.split_summary import SplitSummary
from mtdepth.metrics.names import Split

Report = Callable[[dict[str, float], Path], None]
"""Takes an epoch's metrics, `epoch` among them, and a checkpoint that is gone afterwards."""
OnProgress = Callable[[int, int], None]


class TrialFailed(Exception):
    """A training cannot go on, and left its process as sound as before."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a trained model reached on a split."""

    metrics: dict[str, float]
    images: list[dict[str, Any]]
    """A row an image: `image`, and metrics."""
    replicates: dict[str, list[float]] = field(default_factory=dict)
    """Metrics that are no means over images, on bootstrap draws of the images; the same draws for
    every model that is judged on the split."""


class Trainable(Protocol):
    """What a study trains: mtdepth, or anything as quick as a test needs it.

    It travels to the workers by pickle.
    """

    def check_software(self, config: Mapping[str, Any]) -> None:
        """Sees that what a training needs is installed.

        Raises:
            ValueError: one line about what is missing, and how to install it.
        """

    def check_data(
        self, config: Mapping[str, Any], on_progress: OnProgress | None = None
    ) -> dict[str, SplitSummary]:
        """Looks over the data of a training, and prepares it where it is missing.

        Raises:
            ValueError: one line about what is missing or broken, and where.
        """

    def calibrate(self, config: Mapping[str, Any]) -> Calibration:
        """Measures what a training costs, and leaves nothing behind.

        Raises:
            ValueError: that can't be told of what is trained here.
        """

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        """Trains, and reports each epoch.

        Raises:
            TrialFailed: it cannot go on, and trying again would end the same way.
        """

    def judge(self, checkpoint: Path, split: Split) -> Judgement:
        """Judges a trained model on a split."""

    def draw(self, checkpoint: Path, split: Split, out: Path, images: Sequence[str]) -> None:
        """Draws what a trained model predicts for images of a split, and the truth beside it.

        Args:
            checkpoint: directory of the model.
            split: where the images are from.
            out: a directory. Files are `<number of the image>-<number of the picture>.png`, both
                from 0 and in two digits; each has a text chunk `legend`, JSON of `caption`, and of
                `colours`, `low` and `high` where its colours have a range.
            images: names, as a judgement's rows have them.
        """

    def draw_sheet(self, checkpoint: Path, split: Split, out: Path) -> None:
        """Draws what a trained model predicts for a few images of a split, as one PNG file."""
