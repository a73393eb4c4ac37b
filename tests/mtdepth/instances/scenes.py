"""Instance maps, and offsets that a network could have given for them."""

from __future__ import annotations

import numpy as np

from mtdepth.instances.targets import offset_targets
from tests.mtdepth.batches import labels_of


def three_boxes() -> np.ndarray:
    instances = np.zeros((64, 96), dtype=np.int64)
    instances[10:30, 5:25] = 26001
    instances[12:40, 40:60] = 26002
    instances[30:50, 60:90] = 24001
    return instances


def noisy_offsets(
    instances: np.ndarray, noise_px: float, seed: int = 0, min_area: int = 1
) -> np.ndarray:
    """(2, H, W) true offsets with Gaussian noise."""
    labels = labels_of(instances[None])
    offsets = offset_targets(labels, min_area)[0][0].numpy().astype(np.float64)
    return offsets + np.random.default_rng(seed).normal(0, noise_px, offsets.shape)


def overlap(found: np.ndarray, true: np.ndarray) -> list[float]:
    """The best IoU of each true object."""
    best = []
    for label in np.setdiff1d(true, [0]):
        mask = true == label
        candidates = np.setdiff1d(found[mask], [0])
        unions = [((found == c) & mask).sum() / ((found == c) | mask).sum() for c in candidates]
        best.append(max(unions, default=0.0))
    return best
