"""The platform's only door to mtdepth.

Torch is imported when something is trained, judged or looked over, and not before.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mtdepth.calibration import Calibration as Calibration
from mtdepth.config import BY_TORCHJD
from mtdepth.config import ClusteringConfig as ClusteringConfig
from mtdepth.config import OpticsConfig as OpticsConfig
from mtdepth.config import TrainConfig as TrainConfig
from mtdepth.data.shut import keep_test_shut as keep_test_shut
from mtdepth.memory import device_free_bytes as device_free_bytes
from mtdepth.memory import peak_memory_bytes as peak_memory_bytes
from mtdepth.metrics.names import Split as Split
from mtdepth.metrics.names import Truth as Truth
from mtdepth.metrics.names import evaluation_names as metric_names
from mtdepth.metrics.names import higher_is_better as higher_is_better
from mtdepth.store import Store as Store
from mtdepth.store import StoreAway as StoreAway
from mtdepth.store_url import StoreUrl as StoreUrl

if TYPE_CHECKING:
    import pyarrow as pa

    from mtdepth.instances.scoring import Scorer as Scorer
    from mtdepth.predictor import Predictor as Predictor

__all__ = [
    "PROCESSES",
    "Calibration",
    "ClusteringConfig",
    "Judgement",
    "Mtdepth",
    "OpticsConfig",
    "Report",
    "Split",
    "SplitSummary",
    "Store",
    "StoreAway",
    "StoreUrl",
    "TrainConfig",
    "Trainable",
    "TrialFailed",
    "Truth",
    "device_free_bytes",
    "device_percent",
    "higher_is_better",
    "keep_test_shut",
    "metric_names",
    "peak_device_memory_bytes",
    "peak_memory_bytes",
    "random_state_kept",
]

PROCESSES = "STUDY_PROCESSES"
"""In a worker's environment: how many GPUs its trial has, each of which wants a process."""
Report = Callable[[dict[str, float], Path], None]
"""Takes an epoch's metrics, `epoch` among them, and a checkpoint that is gone afterwards."""
OnProgress = Callable[[int, int], None]


class TrialFailed(Exception):
    """A training cannot go on, and left its process as sound as before."""


@dataclass(frozen=True, kw_only=True)
class SplitSummary:
    """What one split of a data set holds."""

    num_samples: int
    truth: Truth
    """What it can be judged against."""
    fingerprint: str
    unlabelled: str | None = None
    """Why the task 'instances' can't be learned from it; None where it can."""


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
        return {
            split: SplitSummary(
                num_samples=summary.num_samples,
                truth=summary.truth,
                fingerprint=summary.fingerprint,
                unlabelled=summary.unlabelled,
            )
            for split, summary in found.items()
        }

    def calibrate(self, config: Mapping[str, Any]) -> Calibration:
        """See `Trainable`."""
        _use_threads()
        from mtdepth.calibrate import calibrate

        return calibrate(TrainConfig.model_validate(config), processes=_num_processes())

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        """See `Trainable`."""
        _use_threads()
        from mtdepth.data.root import expect_packs
        from mtdepth.train import TrainingDiverged, fit

        told = TrainConfig.model_validate(config)
        expect_packs(told.data, self._packs)
        try:
            fit(told, report, resume_from, processes=_num_processes())
        except TrainingDiverged as error:
            raise TrialFailed(f"TrainingDiverged: {error}") from error

    def judge(self, checkpoint: Path, split: Split) -> Judgement:
        """See `Trainable`."""
        _use_threads()
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
        _use_threads()
        from mtdepth.panel import write_panels

        self._expect_packs_of(checkpoint)
        write_panels(checkpoint, split, out, images)

    def draw_sheet(self, checkpoint: Path, split: Split, out: Path) -> None:
        """See `Trainable`."""
        _use_threads()
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


def trained_with(checkpoint: Path) -> TrainConfig:
    """The settings of a trained model that has learned instances.

    Raises:
        ValueError: there is no checkpoint, or it has not.
    """
    from mtdepth.checkpoint_files import read_config
    from mtdepth.embed import expect_instances

    config = read_config(checkpoint, TrainConfig, "a training")
    expect_instances(checkpoint, config)
    return config


def checkpoints_below(directory: Path) -> list[Path]:
    """The directories of trained models, at whatever depth."""
    from mtdepth.checkpoint_files import CONFIG, is_checkpoint

    return sorted(p.parent for p in directory.rglob(CONFIG) if is_checkpoint(p.parent))


def holds_network(checkpoint: Path) -> bool:
    """Whether a trained model has a network that can be taken out of it, to predict elsewhere."""
    from mtdepth.checkpoint_files import is_checkpoint

    return is_checkpoint(checkpoint)


def extract_network(checkpoint: Path, out: Path) -> TrainConfig:
    """Writes the network of a trained model, and how it was trained, without code or pickles.

    Raises:
        ValueError: the checkpoint is missing or damaged.
    """
    from mtdepth.checkpoint import extract_network

    return extract_network(checkpoint, out)


def open_predictor(checkpoint: Path) -> Predictor:
    """A trained model that predicts images; see `mtdepth.predictor`.

    Raises:
        ValueError: the checkpoint is missing or damaged.
    """
    from mtdepth.predictor import Predictor

    return Predictor(checkpoint)


def set_optics(checkpoint: Path, optics: OpticsConfig) -> None:
    """Tells a trained model how to cluster from now on."""
    from mtdepth.checkpoint_files import write_config

    write_config(checkpoint, trained_with(checkpoint).model_copy(update={"optics": optics}))


def embed(checkpoint: Path, split: Split, out: Path, *, whole: bool) -> None:
    """Writes what a trained model says of a split as Arrow; see `mtdepth.embed`."""
    _use_threads()
    from mtdepth.embed import embed

    embed(checkpoint, split, out, whole=whole)


def identity(checkpoint: Path, split: Split) -> dict[str, Any]:
    """What embeddings of a whole split are made of."""
    from mtdepth.embed import told_of_checkpoint

    return told_of_checkpoint(checkpoint, trained_with(checkpoint), split)


def map_embeddings(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """What `embed` has written, mapped into memory, and what it is made of.

    Raises:
        ValueError: it is no such file.
    """
    from mtdepth.instances.embeddings import map_embeddings, told_of

    table = map_embeddings(path)
    return table, told_of(table)


def write_embeddings(path: Path, table: pa.Table) -> None:
    """Writes embeddings that another machine has made."""
    from mtdepth.instances.embeddings import write_embeddings

    write_embeddings(path, iter(table.to_batches()))


def expect_instances(table: pa.Table) -> None:
    """Sees that clusterings of what `embed` has written can be judged.

    Raises:
        ValueError: no true instance counts.
    """
    from mtdepth.instances.embeddings import Embeddings
    from mtdepth.instances.scoring import expect_instances

    expect_instances(Embeddings(table))


def open_scorer(table: pa.Table) -> Scorer:
    """Judges clusterings of what `embed` has written.

    Raises:
        ValueError: no true instance counts.
    """
    _use_threads()
    from mtdepth.instances.embeddings import Embeddings
    from mtdepth.instances.scoring import Scorer

    return Scorer(Embeddings(table))


def draw_clustering(
    checkpoint: Path, split: Split, out: Path, images: Sequence[str], optics: OpticsConfig
) -> None:
    """Draws what a trained model predicts, clustered in this way; see `Trainable.draw`."""
    _use_threads()
    from mtdepth.panel import write_panels

    write_panels(checkpoint, split, out, images, optics=optics)


def peak_device_memory_bytes() -> int:
    """The most GPU memory held since this was last asked; 0 where torch was not needed yet."""
    if "torch" not in sys.modules:
        return 0
    from mtdepth.device import peak_device_memory_bytes

    return peak_device_memory_bytes()


def device_percent() -> float | None:
    """How busy the GPU is right now, in percent; None where that can't be told."""
    if "torch" not in sys.modules:
        return None
    from mtdepth.device import device_percent

    return device_percent()


def device_name() -> str:
    """What a training computes on: `cpu`, or the GPU's name, and how many of them."""
    torch, num = sys.modules.get("torch"), _num_processes()
    if torch is None or not torch.cuda.is_available():
        return "cpu"
    return f"{num} x {torch.cuda.get_device_name()}" if num > 1 else torch.cuda.get_device_name()


@contextlib.contextmanager
def random_state_kept() -> Iterator[None]:
    """Puts random numbers back to where a training left them, whatever is done meanwhile."""
    plain, arrays = random.getstate(), np.random.get_state()  # noqa: NPY002  # the global one
    torch = sys.modules.get("torch")
    forked: Any = contextlib.nullcontext()
    if torch is not None:
        used = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
        forked = torch.random.fork_rng(devices=used)
    try:
        with forked:
            yield
    finally:
        random.setstate(plain)
        np.random.set_state(arrays)  # noqa: NPY002


def _num_processes() -> int:
    """How many processes a training is to have."""
    return int(os.environ.get(PROCESSES, "1"))


def _use_threads() -> None:
    """Lets torch use the cores that the trial was given, and no more."""
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
