"""The names of all metrics, `<split>/<task>[/<region>]/<metric>`, and which of them can be had.

Nothing heavy is imported here, so that a study's metrics can be checked in an instant.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

from mtdepth.config import ClusteringConfig, TrainConfig

Split = Literal["train", "val", "test"]
Region = Literal["static", "moving", "comoving"]
REGIONS: tuple[Region, ...] = get_args(Region)

SEVEN = ("abs_rel", "sq_rel", "rmse", "rmse_log", "a1", "a2", "a3")
"""KITTI's seven depth metrics (Eigen et al. 2014)."""
DEPTH = (*SEVEN, "log_corr", "constant_abs_rel", "constant_a1")
"""Against true depth; `constant_*` is what a constant map gets under the same median scaling."""
REGION_DEPTH = ("abs_rel", "rmse", "a1", "hole_rate")
"""Within the instances of one region; `hole_rate` is the share of them that are predicted more
than 1.5 times too far. An image that shows none of a region is left out of the region's means."""
NUM_IMAGES = "num_images"
"""Over how many images a region's means are; a count of the data, and no better high or low."""
PHOTOMETRIC = ("photometric", "identity_photometric")
"""Needs no truth: the photometric error of the warped and of the unwarped sources."""
POSE = ("ate", "ate_full", "rpe_m", "rpe_deg")
"""Over snippets of five frames (Zhou et al. 2017), and over whole runs of consecutive frames after
their best alignment (Sturm et al. 2012, Zhan et al. 2020). Runs of two frames have an `ate_full`
of 0, so that it tells something only where a split's frames follow each other."""
INSTANCES = ("ap", "ap50", "pq", "sq", "rq", "offset_error_px", "zero_offset_error_px")
"""Against instance maps; `zero_offset_error_px` is what offsets of zero get. Where a teacher drew
the maps, they tell how far the network agrees with it."""
CLUSTER_MS = "cluster_ms"
"""Milliseconds of one core that clustering takes an image; only where nothing else is judged."""
HIGHER_IS_BETTER = frozenset(
    {"a1", "a2", "a3", "log_corr", "constant_a1", "ap", "ap50", "pq", "sq", "rq"}
)


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a split can be judged against."""

    neighbours: bool = True
    """Frames before and after each target."""
    depth: bool = True
    """Dense depth or lidar, whichever the evaluation takes for true."""
    motion: bool = True
    """Which instances stand, move, or move with the camera: told by maps, or worked out from
    instance maps, lidar and poses. Which of the three there are is not told."""
    instances: bool = True
    """Instance maps."""
    poses: bool = True
    """Poses, or oxts."""

    def missing(self) -> list[str]:
        """Names what is not there."""
        return [field.name for field in fields(self) if not getattr(self, field.name)]


def higher_is_better(name: str) -> bool:
    """Whether more of this metric is better; errors, losses and rates are better low."""
    return name.rsplit("/", 1)[-1] in HIGHER_IS_BETTER


def evaluation_names(
    config: TrainConfig | ClusteringConfig, split: Split, truth: Truth | None = None
) -> list[str]:
    """Names of the metrics that `evaluate`, or a clustering's scorer, gives for a split.

    Args:
        config: the training, whose tasks decide what is predicted; or the clustering.
        split: which split is evaluated.
        truth: what the split has; left out, all that any split could have.
    """
    if split == "val" and isinstance(config, TrainConfig) and config.data.train_on != "train":
        return []
    truth = truth or Truth()
    names: list[str] = []
    if "depth" in config.tasks:
        if truth.neighbours:
            names += [f"depth/{metric}" for metric in PHOTOMETRIC]
        if truth.depth:
            names += [f"depth/{metric}" for metric in DEPTH]
        if truth.depth and truth.instances and truth.motion:
            of_region = (*REGION_DEPTH, NUM_IMAGES)
            names += [f"depth/{region}/{m}" for region in REGIONS for m in of_region]
        if truth.poses:
            names += [f"pose/{metric}" for metric in POSE]
    if "instances" in config.tasks and truth.instances:
        names += [f"instances/{metric}" for metric in INSTANCES]
        if isinstance(config, ClusteringConfig):
            names.append(f"instances/{CLUSTER_MS}")
    return [f"{split}/{name}" for name in names]


def training_names(config: TrainConfig) -> list[str]:
    """Names of what `fit` reports of the training itself: raw losses, and effective weights."""
    names = ["train/loss", "train/seconds"]
    for task in config.tasks:
        names += [f"train/{task}/loss", f"train/{task}/weight"]
    return names
