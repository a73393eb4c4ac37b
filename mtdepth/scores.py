"""What a network's predictions for a split add up to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtdepth.config import TrainConfig
from mtdepth.data.ahead import ahead
from mtdepth.data.batch import Batch
from mtdepth.data.loader import SplitData
from mtdepth.data.splits import Frame, runs
from mtdepth.instances.clustering import Instances, cluster
from mtdepth.instances.targets import InstanceLabels, offset_targets
from mtdepth.losses.photometric import PhotometricError, upsampled_depth, warp_sources
from mtdepth.metrics.depth import evaluate_image, mean_metrics
from mtdepth.metrics.flip import flip_mean
from mtdepth.metrics.instances import average_precision, offset_errors
from mtdepth.metrics.panoptic import panoptic_quality
from mtdepth.metrics.pose import ate_snippets, trajectory, trajectory_errors
from mtdepth.metrics.regions import region_counts
from mtdepth.metrics.replicates import instance_replicates
from mtdepth.model.network import Predictions, image_size

Row = dict[str, float]
T = TypeVar("T")
Found = TypeVar("Found")


@dataclass
class Scores:
    """Collects what each batch adds."""

    config: TrainConfig
    data: SplitData
    rows: dict[Frame, Row] = field(default_factory=dict)
    """What was found in each image, by names without the split."""
    after_T_target: dict[Frame, NDArray[np.float64]] = field(default_factory=dict)
    predicted: list[Instances] = field(default_factory=list)
    true: list[NDArray[np.integer]] = field(default_factory=list)

    def add(
        self,
        indices: Sequence[int],
        batch: Batch,
        predictions: Predictions,
        of_mirrored: Predictions | None = None,
    ) -> None:
        """Takes the predictions for the samples of these indices.

        Args:
            indices: into the split.
            batch: the samples.
            predictions: for the samples.
            of_mirrored: for their mirrored images, where disparity is to be the mean of both.
        """
        rows: list[Row] = [{} for _ in indices]
        if predictions.disparities is not None:
            depth = upsampled_depth(predictions.disparities[:1], self.config.depth)
            if predictions.source_T_target is not None:
                self._add_motion(indices, predictions.source_T_target)
                _add_photometric(rows, depth, predictions.source_T_target, batch, self.config)
            disparities = _inverse(depth)
            if of_mirrored is not None and of_mirrored.disparities is not None:
                mirrored = upsampled_depth(of_mirrored.disparities[:1], self.config.depth)
                disparities = flip_mean(disparities, _inverse(mirrored))
            self._add_depth(rows, indices, disparities)
        if predictions.offsets is not None and batch.instances is not None:
            offsets_px = predictions.offsets * image_size(predictions.offsets)
            self._add_instances(rows, offsets_px, batch.instances)
        self.rows |= {self.data.frames[i]: row for i, row in zip(indices, rows, strict=True)}

    def _add_depth(
        self, rows: list[Row], indices: Sequence[int], disparities: NDArray[np.floating]
    ) -> None:
        judged = _of_each(self._depth_metrics, list(zip(indices, disparities, strict=True)))
        for row, found in zip(rows, judged, strict=True):
            row |= {f"depth/{name}": value for name, value in found.items()}

    def _depth_metrics(self, image: tuple[int, NDArray[np.floating]]) -> Row:
        index, disparity = image
        told = self.config.evaluation
        truth = self.data.truth(index, told)
        if truth.depth_m is None:
            return {}
        return evaluate_image(
            disparity,
            truth.depth_m,
            crop=told.crop,
            motion=truth.motion,
            instances=truth.instances,
        )

    def _add_motion(self, indices: Sequence[int], source_T_target: Tensor) -> None:
        forward = source_T_target[:, 1].double().cpu().numpy()
        self.after_T_target |= {
            self.data.frames[i]: matrix for i, matrix in zip(indices, forward, strict=True)
        }

    def _add_instances(
        self, rows: list[Row], offsets_px: Tensor, instances: InstanceLabels
    ) -> None:
        true_px, foreground = offset_targets(instances, self.config.offsets.min_area)
        for i, row in enumerate(rows):
            errors = offset_errors(offsets_px[i], true_px[i], foreground[i])
            row |= {f"instances/{name}": value for name, value in errors.items()}
        by_votes = partial(cluster, config=self.config.optics)
        self.predicted += _of_each(by_votes, list(offsets_px.cpu().numpy()))
        self.true += list(instances.numbers.cpu().numpy())

    def metrics(self) -> dict[str, float]:
        """Over all images, by names without the split."""
        rows = list(self.rows.values())
        found = mean_metrics(rows)
        counts = region_counts([name.removeprefix("depth/") for name in row] for row in rows)
        found |= {f"depth/{name}": value for name, value in counts.items()}
        found |= {f"pose/{name}": value for name, value in self._pose().items()}
        if self.true:
            for metric in (average_precision, panoptic_quality):
                judged = metric(self.predicted, self.true, min_area=self.config.offsets.min_area)
                found |= {f"instances/{name}": value for name, value in judged.items()}
        return found

    def replicates(self) -> dict[str, list[float]]:
        """Metrics that are no means over images, on draws of them; see `instance_replicates`."""
        if not self.true:
            return {}
        min_area = self.config.offsets.min_area
        drawn = instance_replicates(self.predicted, self.true, min_area=min_area)
        return {f"instances/{name}": values for name, values in drawn.items()}

    def _pose(self) -> dict[str, float]:
        """Over all runs of consecutive frames: `ate` weighs each by its number of snippets, the
        errors of whole trajectories by its number of motions."""
        snippets: list[float] = []
        whole: list[dict[str, float]] = []
        num_motions: list[int] = []
        for run in runs(self.after_T_target):
            poses = [self.data.source.world_T_cam(f) for f in [*run, run[-1].shifted(1)]]
            if any(pose is None for pose in poses):
                continue
            true = np.stack([pose for pose in poses if pose is not None])
            motions = [self.after_T_target[frame] for frame in run]
            snippets += ate_snippets(motions, true)
            whole.append(trajectory_errors(trajectory(motions), true))
            num_motions.append(len(motions))
        if not whole:
            return {}
        means = {
            name: float(np.average([errors[name] for errors in whole], weights=num_motions))
            for name in whole[0]
        }
        return {"ate": float(np.mean(snippets)), **means}


def _of_each(judge: Callable[[T], Found], images: Sequence[T]) -> list[Found]:
    """What is found of each image, by as many threads as torch may use."""
    return list(ahead(judge, images, num=len(images), num_threads=torch.get_num_threads()))


def _inverse(depth_m: Tensor) -> NDArray[np.floating]:
    """(B, H, W) disparity of (1, B, 1, H, W) metres."""
    disparity: NDArray[np.floating] = 1 / depth_m[0, :, 0].cpu().numpy()
    return disparity


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
