"""Judges a network on a split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtdepth.checkpoint import load_network
from mtdepth.config import TrainConfig
from mtdepth.data.batch import Batch
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.splits import Frame, runs
from mtdepth.device import best_device
from mtdepth.instances.clustering import Instances, cluster
from mtdepth.instances.targets import offset_targets
from mtdepth.losses.photometric import PhotometricError, upsampled_depth, warp_sources
from mtdepth.metrics.depth import evaluate_image, mean_metrics
from mtdepth.metrics.instances import average_precision, offset_errors
from mtdepth.metrics.names import Split
from mtdepth.metrics.pose import ate_snippets
from mtdepth.model.network import Network, Predictions, image_size

Row = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What `evaluate` finds."""

    metrics: dict[str, float]
    """Over the whole split, by name: `test/depth/abs_rel`. What the data can't tell is left out,
    and a mean over images is over those that have the metric."""
    images: list[dict[str, str | float]]
    """The same for each image, whose name is under `image`."""


def evaluate(checkpoint: Path, split: Split) -> Evaluation:
    """Judges a checkpoint on a split of the data that it was trained on.

    Raises:
        ValueError: the checkpoint or the data is not as it should be.
    """
    device = best_device()
    network, config = load_network(checkpoint, device)
    return evaluate_network(network, config, split, device)


@torch.no_grad()
def evaluate_network(
    network: Network, config: TrainConfig, split: Split, device: torch.device
) -> Evaluation:
    """Judges a network on a split; `config.max_val_samples` bounds the validation split."""
    data = open_split(config.data, split)
    scores = _Scores(config, data)
    network.eval()
    for indices, neighbours in _chunks(data, _chosen(len(data), config, split), config.batch_size):
        wants_sources = neighbours and "depth" in config.tasks
        batch = data.batch(indices, neighbours=wants_sources).to(device)
        predictions = network(batch.target, batch.sources if wants_sources else None)
        scores.add(indices, batch, predictions)
    return scores.evaluation(split)


def _chosen(num_samples: int, config: TrainConfig, split: Split) -> list[int]:
    limit = config.max_val_samples
    if split != "val" or limit is None or limit >= num_samples:
        return list(range(num_samples))
    return [round(x) for x in np.linspace(0, num_samples - 1, limit).tolist()]


def _chunks(data: SplitData, indices: Sequence[int], size: int) -> Iterator[tuple[list[int], bool]]:
    """Batches of indices, those with both neighbours apart from those without."""
    having = {index: data.has_neighbours(index) for index in indices}
    for neighbours in (True, False):
        some = [index for index in indices if having[index] is neighbours]
        for start in range(0, len(some), size):
            yield some[start : start + size], neighbours


@dataclass
class _Scores:
    """Collects what each batch adds."""

    config: TrainConfig
    data: SplitData
    rows: dict[Frame, Row] = field(default_factory=dict)
    after_T_target: dict[Frame, NDArray[np.float64]] = field(default_factory=dict)
    predicted: list[Instances] = field(default_factory=list)
    true: list[NDArray[np.integer]] = field(default_factory=list)

    def add(self, indices: Sequence[int], batch: Batch, predictions: Predictions) -> None:
        """Takes the predictions for the samples of these indices."""
        rows: list[Row] = [{} for _ in indices]
        if predictions.disparities is not None:
            depth = upsampled_depth(predictions.disparities[:1], self.config.depth)
            if predictions.source_T_target is not None:
                self._add_motion(indices, predictions.source_T_target)
                _add_photometric(rows, depth, predictions.source_T_target, batch, self.config)
            self._add_depth(rows, indices, depth[0, :, 0])
        if predictions.offsets is not None and batch.instances is not None:
            offsets_px = predictions.offsets * image_size(predictions.offsets)
            self._add_instances(rows, offsets_px, batch.instances)
        self.rows |= {self.data.frames[i]: row for i, row in zip(indices, rows, strict=True)}

    def _add_depth(self, rows: list[Row], indices: Sequence[int], depth_m: Tensor) -> None:
        for row, index, disparity in zip(rows, indices, 1 / depth_m.cpu().numpy(), strict=True):
            truth = self.data.truth(index)
            if truth.depth_m is None:
                continue
            found = evaluate_image(disparity, truth.depth_m, crop=True, motion=truth.motion)
            row |= {f"depth/{name}": value for name, value in found.items()}

    def _add_motion(self, indices: Sequence[int], source_T_target: Tensor) -> None:
        forward = source_T_target[:, 1].double().cpu().numpy()
        self.after_T_target |= {
            self.data.frames[i]: matrix for i, matrix in zip(indices, forward, strict=True)
        }

    def _add_instances(self, rows: list[Row], offsets_px: Tensor, instances: Tensor) -> None:
        true_px, foreground = offset_targets(instances, self.config.offsets.min_area)
        for i, row in enumerate(rows):
            errors = offset_errors(offsets_px[i], true_px[i], foreground[i])
            row |= {f"instances/{name}": value for name, value in errors.items()}
            self.predicted.append(cluster(offsets_px[i].cpu().numpy(), self.config.optics))
            self.true.append(instances[i].cpu().numpy())

    def evaluation(self, split: Split) -> Evaluation:
        """What was found in all."""
        metrics = mean_metrics(list(self.rows.values()))
        if (ate := self._ate()) is not None:
            metrics["pose/ate"] = ate
        if self.true:
            precision = average_precision(
                self.predicted, self.true, min_area=self.config.offsets.min_area
            )
            metrics |= {f"instances/{name}": value for name, value in precision.items()}
        return Evaluation(
            metrics={f"{split}/{name}": value for name, value in metrics.items()},
            images=[
                {"image": str(frame)} | {f"{split}/{name}": v for name, v in row.items()}
                for frame, row in sorted(self.rows.items())
            ],
        )

    def _ate(self) -> float | None:
        """Over all runs of consecutive frames, each weighted by its number of snippets."""
        errors: list[float] = []
        for run in runs(self.after_T_target):
            poses = [self.data.reader.world_T_cam(f) for f in [*run, run[-1].shifted(1)]]
            if any(pose is None for pose in poses):
                continue
            true = np.stack([pose for pose in poses if pose is not None])
            errors += ate_snippets([self.after_T_target[frame] for frame in run], true)
        return float(np.mean(errors)) if errors else None


def _add_photometric(
    rows: list[Row], depth_m: Tensor, source_T_target: Tensor, batch: Batch, config: TrainConfig
) -> None:
    error = PhotometricError(batch.target, config.depth.ssim)
    warped = warp_sources(depth_m, source_T_target, batch)[:, 0]
    found = {
        "depth/photometric": error(warped).amin(0).mean((1, 2)),
        "depth/identity_photometric": error(batch.sources.transpose(0, 1)).amin(0).mean((1, 2)),
    }
    for name, values in found.items():
        for row, value in zip(rows, values.tolist(), strict=True):
            row[name] = value
