"""Predicted offsets to objects: each pixel votes for a centroid, objects are dense votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtdepth.config import OpticsConfig
from mtdepth.instances.methods import Ordering, order_votes
from mtdepth.instances.votes import Votes, pixels_of, votes_of

ORDERED_BY = ("method", "min_samples", "max_eps", "min_offset")
"""What the order of votes depends on; the other fields tell how it is cut."""


@dataclass(frozen=True)
class Instances:
    """The objects of an image."""

    map: NDArray[np.int32]
    """(H, W), 0 for background, 1..n for objects."""
    scores: NDArray[np.float64]
    """(n,) in (0, 1]: exp(-v / p), where v is the rms distance of an object's votes, and p that
    of its pixels, from their mean. 1: all vote for one point; 1/e: the votes lie as wide apart
    as the pixels, as those of background do."""


@dataclass(frozen=True, kw_only=True)
class OrderedVotes:
    """An image whose votes are ordered once, to be cut into objects in many ways."""

    config: OpticsConfig
    """What they were ordered by."""
    votes: Votes
    ordering: Ordering

    def instances(self, config: OpticsConfig) -> Instances:
        """The objects that a cut makes, the same as those of `cluster`.

        Args:
            config: `extraction`, `eps`, `xi` and `min_size` may differ from those of the order.

        Raises:
            ValueError: another field differs.
        """
        for name in ORDERED_BY:
            wanted, found = getattr(self.config, name), getattr(config, name)
            if wanted != found:
                raise ValueError(
                    f"optics.{name}: expected {wanted}, which the votes were ordered by, found "
                    f"{found}: order them again"
                )
        height, width = self.votes.height, self.votes.width
        labels = np.zeros(height * width, dtype=np.int64)
        labels[self.votes.pixel] = self.ordering.labels(config)
        labels = _keep_large(labels, config.min_size)
        return Instances(
            map=labels.reshape(height, width).astype(np.int32),
            scores=_scores(labels[self.votes.pixel], self.votes),
        )


def order_image(offsets_px: NDArray[np.floating], config: OpticsConfig) -> OrderedVotes:
    """Does what takes long in `cluster`, once for all cuts.

    Args:
        offsets_px: (2, H, W), (x, y) in pixels of this map. Must be finite.
        config: method, reach and density.

    Raises:
        ValueError: the offsets are no such map, or no method has that name.
    """
    votes = votes_of(offsets_px, config)
    return OrderedVotes(config=config, votes=votes, ordering=order_votes(votes, config))


def cluster(offsets_px: NDArray[np.floating], config: OpticsConfig) -> Instances:
    """Groups the pixels of an image by the places that they point to.

    Background votes for itself, and so has one vote a pixel; objects are where votes are denser.

    Args:
        offsets_px: (2, H, W), (x, y) in pixels of this map. Must be finite.
        config: method, reach, density and extraction.

    Raises:
        ValueError: the offsets are no such map, or no method has that name.
    """
    return order_image(offsets_px, config).instances(config)


def _keep_large(labels: NDArray[np.int64], min_size: int) -> NDArray[np.int64]:
    """Numbers the labels that have enough pixels 1..n, and makes the others background."""
    sizes = np.bincount(labels)
    keep = sizes >= max(min_size, 1)
    keep[0] = False
    return np.where(keep, np.cumsum(keep), 0)[labels]


def _scores(labels: NDArray[np.int64], votes: Votes) -> NDArray[np.float64]:
    """(n,) how much nearer together the votes of labels 1..n lie than their pixels."""
    (which,) = labels.nonzero()
    pixels = pixels_of(votes.height, votes.width)[:, votes.pixel[which]]
    spread_px = np.maximum(_spread(labels[which], pixels), 0.5)  # of a single pixel: half its side
    spread_of_votes = _spread(labels[which], votes.place_px[which].T)
    scores: NDArray[np.float64] = np.exp(-spread_of_votes / spread_px)[1:]
    return scores


def _spread(labels: NDArray[np.int64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n + 1,) rms distance of the (2, N) points of each label from their mean."""
    sizes = np.maximum(np.bincount(labels), 1)
    variance = np.zeros(len(sizes))
    for axis in points:
        mean = np.bincount(labels, weights=axis) / sizes
        variance += np.bincount(labels, weights=(axis - mean[labels]) ** 2) / sizes
    return np.sqrt(variance)
