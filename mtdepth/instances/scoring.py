"""Clusters the embeddings of a split in one way after another, and judges each."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from mtdepth.config import OpticsConfig
from mtdepth.instances.clustering import ORDERED_BY, Instances, OrderedVotes, order_image
from mtdepth.instances.embeddings import Embedding, Embeddings
from mtdepth.instances.targets import batch_labels, number_instances, offset_targets
from mtdepth.metrics.depth import mean_metrics
from mtdepth.metrics.instances import average_precision, offset_errors
from mtdepth.metrics.names import CLUSTER_MS
from mtdepth.metrics.panoptic import panoptic_quality
from mtdepth.metrics.replicates import instance_replicates

Value = TypeVar("Value")
MAX_KEPT_VOTES = 10_000_000
"""Of the orders that are kept; a vote takes up to 100 bytes."""


class Scorer:
    """The images of a split, to be clustered in many ways.

    The orders of votes are kept for all cuts of them, as far as memory allows.

    Args:
        embeddings: of the split.

    Raises:
        ValueError: no true instance counts, so that no clustering can be judged.
    """

    def __init__(self, embeddings: Embeddings) -> None:
        self.embeddings = embeddings
        self.true = [one.instances for one in embeddings]
        self._min_area = int(embeddings.told["min_area"])
        self._kept: OrderedDict[tuple[object, ...], tuple[list[OrderedVotes], float]] = (
            OrderedDict()
        )
        self._warm: set[tuple[str, str]] = set()
        expect_instances(embeddings)
        self.images = [(one.image, self._offset_errors(one)) for one in embeddings]
        """The name of each image, and its metrics, none of which a clustering is in."""

    def score(self, config: OpticsConfig) -> dict[str, float]:
        """Metrics of a clustering, named as `evaluate` names them, without the split.

        `instances/cluster_ms` is beside them: milliseconds of one core that an image takes on
        average, to be ordered and cut, as if nothing had been kept.
        """
        self._warm_up(config)
        found, seconds = self._cluster(config)
        metrics = average_precision(found, self.true, min_area=self._min_area)
        metrics |= panoptic_quality(found, self.true, min_area=self._min_area)
        metrics[CLUSTER_MS] = 1000 * seconds / len(self.true)
        return _of_instances(metrics) | mean_metrics([row for _, row in self.images])

    def replicates(self, config: OpticsConfig) -> dict[str, list[float]]:
        """See `instance_replicates`; named as in `score`."""
        found, _ = self._cluster(config)
        return _of_instances(instance_replicates(found, self.true, min_area=self._min_area))

    def _cluster(self, config: OpticsConfig) -> tuple[list[Instances], float]:
        """The objects of each image, and the seconds for all."""
        ordered, seconds = self._ordered(config)
        started = time.thread_time()
        found = [one.instances(config) for one in ordered]
        return found, seconds + time.thread_time() - started

    def _ordered(self, config: OpticsConfig) -> tuple[list[OrderedVotes], float]:
        key = tuple(getattr(config, name) for name in ORDERED_BY)
        if key not in self._kept:
            started = time.thread_time()
            ordered = [order_image(one.offsets_px, config) for one in self.embeddings]
            self._kept[key] = ordered, time.thread_time() - started
            while len(self._kept) > 1 and self._num_kept_votes() > MAX_KEPT_VOTES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _warm_up(self, config: OpticsConfig) -> None:
        """What is imported or compiled by the first image is no part of an image's time."""
        kind = (config.method, config.extraction)
        if kind not in self._warm:
            order_image(self.embeddings[0].offsets_px, config).instances(config)
            self._warm.add(kind)

    def _num_kept_votes(self) -> int:
        return sum(len(one.votes.pixel) for ordered, _ in self._kept.values() for one in ordered)

    def _offset_errors(self, one: Embedding) -> dict[str, float]:
        import torch

        labels = batch_labels([number_instances(one.instances)])
        true_px, foreground = offset_targets(labels, self._min_area)
        predicted = torch.tensor(one.offsets_px)
        return _of_instances(offset_errors(predicted, true_px[0], foreground[0]))


def expect_instances(embeddings: Embeddings) -> None:
    """Sees that a clustering of these images can be judged.

    Raises:
        ValueError: no true instance counts.
    """
    min_area = int(embeddings.told["min_area"])
    if not any((np.bincount(one.instances.ravel())[1:] >= min_area).any() for one in embeddings):
        raise ValueError(
            f"expected instances of at least {min_area} pixels (offsets.min_area) in the "
            f"{embeddings.told['split']} split, found none: there is nothing to judge a "
            "clustering by"
        )


def _of_instances(metrics: Mapping[str, Value]) -> dict[str, Value]:
    return {f"instances/{name}": value for name, value in metrics.items()}
