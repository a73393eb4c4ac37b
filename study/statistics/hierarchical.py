"""Intervals of a difference that hold for new seeds and for new images.

A mean over seeds speaks of trainings on these test images; another test set gives other numbers.
Seeds share the images, so the two are crossed, and both are drawn anew: seeds with replacement,
and images with replacement, the same for both arms and all seeds of a draw (the pigeonhole
bootstrap: Owen 2007, "The pigeonhole bootstrap"; Owen and Eckles 2012). It counts too much rather
than too little of what belongs to a seed and an image alone.

Few seeds make any bootstrap too narrow. What a draw of seeds adds is widened by
sqrt(n / (n - 1)) * t / z, where t and z are Student's and the normal 97.5 % points, so that it
reaches as far as Student's interval does (Hesterberg 2015, on how narrow percentiles are).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from study.statistics.intervals import NO_INTERVAL, Interval
from study.statistics.samples import CONFIDENCE, SEED, Array, by_size

NUM_IMAGE_DRAWS = 2_000
"""Of images, where this module draws them."""
MIN_DRAWS = 10_000
"""Of seeds: each draw of images meets so many draws of seeds that there are that many."""

BySeed = Mapping[int, Sequence[float] | Array]
"""Numbers by seed."""


def image_interval(arm: BySeed, reference: BySeed) -> Interval:
    """For a metric that is a mean over images.

    Args:
        arm: (I,) the metric of each test image by seed.
        reference: the same of the reference: the same images in the same order.

    Returns:
        The interval of the mean difference; NaN with fewer than two seeds in common or two images.

    Raises:
        ValueError: numbers of images differ.
    """
    differences = _differences(arm, reference)
    num_seeds, num_images = differences.shape
    if num_seeds < 2 or num_images < 2:
        return NO_INTERVAL
    return _interval(differences @ _image_draws(num_images) / num_images)


def replicate_interval(arm: BySeed, reference: BySeed) -> Interval:
    """For any metric that was worked out anew on many draws of the test images.

    Args:
        arm: (B,) the metric on B draws of the test images by seed; draw b is of the same images
            for every seed and arm.
        reference: the same of the reference.

    Returns:
        The interval of the mean difference; NaN with fewer than two seeds in common or two draws.
        Draws in which some model has no finite value are left out; where those are the most, the
        metric says too little of new images, and the interval is NaN.

    Raises:
        ValueError: numbers of draws differ.
    """
    differences = _differences(arm, reference)
    kept = differences[:, np.isfinite(differences).all(axis=0)]
    if len(kept) < 2 or kept.shape[1] < max(2, differences.shape[1] / 2):
        return NO_INTERVAL
    return _interval(kept)


def seed_widening(num_seeds: int) -> float:
    """By how much deviations of resampled means are stretched: 1 for many seeds, 1.58 for 5."""
    share = (1 + CONFIDENCE) / 2
    ratio = float(stats.t.ppf(share, num_seeds - 1) / stats.norm.ppf(share))
    return math.sqrt(num_seeds / (num_seeds - 1)) * ratio


@lru_cache(maxsize=1)
def _image_draws(num_images: int) -> npt.NDArray[np.float32]:
    """(I, B) how often each image is in each draw; comparisons in one metric share them."""
    shares = np.full(num_images, 1 / num_images)
    drawn = np.random.default_rng(SEED).multinomial(num_images, shares, size=NUM_IMAGE_DRAWS)
    return drawn.T.astype(np.float32)


def _differences(arm: BySeed, reference: BySeed) -> Array:
    """(S, N) of the seeds in common."""
    common = sorted(arm.keys() & reference.keys())
    found = [np.asarray(each[seed], np.float64) for seed in common for each in (arm, reference)]
    sizes = sorted({len(values) for values in found})
    if len(sizes) > 1:
        raise ValueError(f"expected as many values for each seed of both arms, found {sizes}")
    if not found:
        return np.empty((0, 0))
    return np.stack(found[::2]) - np.stack(found[1::2])


def _interval(differences: Array) -> Interval:
    """The interval of (S, B) differences on B draws of images, as seeds are drawn too."""
    num_seeds, num_columns = differences.shape
    ordered = differences[by_size(differences.mean(axis=1))]  # whatever seeds are called
    columns = np.tile(np.arange(num_columns), math.ceil(MIN_DRAWS / num_columns))
    shares = np.full(num_seeds, 1 / num_seeds)
    counts = np.random.default_rng(SEED + 1).multinomial(num_seeds, shares, size=len(columns))
    weights = 1 + seed_widening(num_seeds) * (counts - 1)
    drawn = np.einsum("ds,sd->d", weights, ordered[:, columns]) / num_seeds
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
