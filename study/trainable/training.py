"""The model that the platform is for, as a study trains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtdepth.calibration import Calibration
from mtdepth.config import BY_TORCHJD, TrainConfig
from mtdepth.data.split_summary import SplitSummary
from mtdepth.metrics.names import Split
from study.trainable.process import num_processes, use_threads
from study.trainable.protocol import Judgement, OnProgress, Report, TrialFailed


class Mtdepth:
    """The model that the platform is for.

    What packs the driver has seen travels with it, so that no node trains on others.
    """

    def __init__(self) -> None:
        self._packs: dict[str, str] = {}

    def check_software(self, config: Mapping[str, Any]) -> None:
        """See `Trainable`."""
        told = TrainConfig.model_validate(config)
        if told.weighting.name in BY_TORCHJD:
            from mtdepth.weighting import make_weighting

            make_weighting(told.tasks, told.weighting)

    def check_data(
        self, config: Mapping[str, Any], on_progress: OnProgress | None = None
    ) -> dict[str, SplitSummary]:
        """See `Trainable`."""
        from mtdepth.data.check import check_data
        from mtdepth.data.root import pack_fingerprints

        told = TrainConfig.model_validate(config)
        found = check_data(told.data, on_progress, evaluation=told.evaluation)
        self._packs |= pack_fingerprints(told.data)
        return {str(split): summary for split, summary in found.items()}

    def calibrate(self, config: Mapping[str, Any]) -> Calibration:
        """See `Trainable`."""
        use_threads()
        from mtdepth.calibrate import calibrate

        return calibrate(TrainConfig.model_validate(config), processes=num_processes())

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        """See `Trainable`."""
        use_threads()
        from mtdepth.data.root import expect_packs
        from mtdepth.train import TrainingDiverged, fit

        told = TrainConfig.model_validate(config)
        expect_packs(told.data, self._packs)
        try:
            fit(told, report, resume_from, processes=num_processes())
        except TrainingDiverged as error:
            raise TrialFailed(f"TrainingDiverged: {error}") from error

    def judge(self, checkpoint: Path, split: Split) -> Judgement:
        """See `Trainable`."""
        use_threads()
        from mtdepth.evaluate import evaluate

        self._expect_packs_of(checkpoint)
        found = evaluate(checkpoint, split)
        return Judgement(
            metrics=found.metrics,
            images=[dict(row) for row in found.images],
            replicates=found.replicates,
        )

    def draw(self, checkpoint: Path, split: Split, out: Path, images: Sequence[str]) -> None:
        """See `Trainable`."""
        use_threads()
        from mtdepth.panel import write_panels

        self._expect_packs_of(checkpoint)
        write_panels(checkpoint, split, out, images)

    def draw_sheet(self, checkpoint: Path, split: Split, out: Path) -> None:
        """See `Trainable`."""
        use_threads()
        from mtdepth.panel import write_sheet

        write_sheet(checkpoint, split, out)

    def _expect_packs_of(self, checkpoint: Path) -> None:
        from mtdepth.checkpoint_files import read_config
        from mtdepth.data.root import expect_packs

        config = read_config(checkpoint, TrainConfig, "a training")
        expect_packs(config.data, self._packs)


def is_other_data(error: BaseException) -> bool:
    """Whether a training failed as its machine has other data than the driver."""
    from mtdepth.data.root import PackDiffers

    return isinstance(error, PackDiffers)
