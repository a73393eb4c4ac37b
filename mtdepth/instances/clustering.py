"""Predicted offsets to objects: each pixel votes for a centroid, objects are dense votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtdepth.config import OpticsConfig
from mtdepth.instances.optics import Plot, order

FINEST_STEP_PX = 0.25
"""Votes are merged on a grid of this step, or of a twelfth of `max_eps` where that is coarser."""
STEPS_A_REACH = 12


@dataclass(frozen=True)
class Instances:
    """The objects of an image."""

    map: NDArray[np.int32]
    """(H, W), 0 for background, 1..n for objects."""
    scores: NDArray[np.float64]
    """(n,) in (0, 1]: exp(-v / p), where v is the rms distance of an object's votes, and p that
    of its pixels, from their mean. 1: all vote for one point; 1/e: the votes lie as wide apart
    as the pixels, as those of background do."""


def cluster(offsets_px: NDArray[np.floating], config: OpticsConfig) -> Instances:
    """Groups the pixels of an image by the places that they point to.

    Background votes for itself, and so has one vote a pixel; objects are where votes are denser.
    Votes further than `max_eps` outside the image are noise, since no visible centroid lies there.

    Args:
        offsets_px: (2, H, W), (x, y) in pixels of this map. Must be finite.
        config: reach, density and extraction.
    """
    if offsets_px.ndim != 3 or offsets_px.shape[0] != 2:
        raise ValueError(f"expected offsets_px (2, H, W), found {offsets_px.shape}")
    if not np.isfinite(offsets_px).all():
        raise ValueError("expected finite offsets_px, found NaN or infinity: did training diverge?")
    _, height, width = offsets_px.shape
    ys, xs = np.divmod(np.arange(height * width), width)
    pixels = np.stack([xs, ys]).astype(np.float64)
    votes = pixels + offsets_px.reshape(2, -1)
    step = max(FINEST_STEP_PX, config.max_eps / STEPS_A_REACH)
    cells = np.rint((votes + config.max_eps) / step).astype(np.int64)
    columns, rows = np.rint((np.array([width, height]) - 1 + 2 * config.max_eps) / step) + 1
    size = int(columns * rows)
    inside = ((cells >= 0) & (cells < [[columns], [rows]])).all(0)
    voters = np.flatnonzero(inside & (np.hypot(*(votes - pixels)) >= config.min_offset))
    place = cells[1, voters] * int(columns) + cells[0, voters]
    counts = np.bincount(place, minlength=size).reshape(int(rows), int(columns))
    plot = order(counts, reach=config.max_eps / step, min_samples=config.min_samples)
    label_of_place = np.zeros(size, dtype=np.int64)
    label_of_place[plot.place] = _extract(plot, config, step)
    labels = np.zeros(height * width, dtype=np.int64)
    labels[voters] = label_of_place[place]
    labels = _keep_large(labels, config.min_size)
    return Instances(
        map=labels.reshape(height, width).astype(np.int32), scores=_scores(labels, pixels, votes)
    )


def _extract(plot: Plot, config: OpticsConfig, step: float) -> NDArray[np.int64]:
    """(M,) labels of the places in the plot, 0 for noise."""
    if config.extraction == "xi":
        return _extract_xi(plot, config)
    unreached = plot.reachability > config.eps / step
    core = plot.core_distance <= config.eps / step
    labels = np.cumsum(unreached & core)  # section 4.1, "ExtractDBSCAN-Clustering"
    return np.where(unreached & ~core, 0, labels)


def _extract_xi(plot: Plot, config: OpticsConfig) -> NDArray[np.int64]:
    """Section 4.3.2, by scikit-learn, on the plot of single votes; the innermost clusters."""
    from sklearn.cluster import cluster_optics_xi  # slow to import, and seldom needed

    num_votes = int(plot.count.sum())
    if num_votes < max(config.min_samples, config.min_size, 2):
        return np.zeros(len(plot.place), dtype=np.int64)
    first = np.cumsum(plot.count) - plot.count
    reachability = np.repeat(np.minimum(plot.reachability, plot.core_distance), plot.count)
    reachability[first] = plot.reachability
    came_from = np.where(plot.predecessor < 0, -1, first[plot.predecessor])
    nearer = plot.core_distance < plot.reachability
    predecessor = np.repeat(np.where(nearer, first, came_from), plot.count)
    predecessor[first] = came_from
    with np.errstate(divide="ignore"):  # a reachability of 0 is as steep as can be
        labels, _ = cluster_optics_xi(
            reachability=reachability,
            predecessor=predecessor,
            ordering=np.arange(num_votes),
            min_samples=max(config.min_samples, 2),
            min_cluster_size=max(config.min_size, 2),
            xi=config.xi,
        )
    found: NDArray[np.int64] = labels[first] + 1
    return found


def _keep_large(labels: NDArray[np.int64], min_size: int) -> NDArray[np.int64]:
    """Numbers the labels that have enough pixels 1..n, and makes the others background."""
    sizes = np.bincount(labels)
    keep = sizes >= max(min_size, 1)
    keep[0] = False
    return np.where(keep, np.cumsum(keep), 0)[labels]


def _scores(
    labels: NDArray[np.int64], pixels: NDArray[np.float64], votes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) how much nearer together the votes of labels 1..n lie than their pixels."""
    spread_px = np.maximum(_spread(labels, pixels), 0.5)  # of a single pixel: half its side
    scores: NDArray[np.float64] = np.exp(-_spread(labels, votes) / spread_px)[1:]
    return scores


def _spread(labels: NDArray[np.int64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n + 1,) rms distance of the (2, N) points of each label from their mean."""
    sizes = np.maximum(np.bincount(labels), 1)
    variance = np.zeros(len(sizes))
    for axis in points:
        mean = np.bincount(labels, weights=axis) / sizes
        variance += np.bincount(labels, weights=(axis - mean[labels]) ** 2) / sizes
    return np.sqrt(variance)
