"""How good depth is on objects: those that stand, those that move, and those that move with us."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mtdepth.metrics.errors import FloatArray, abs_rel, rmse, share, within
from mtdepth.metrics.names import REGIONS

HOLE_FACTOR = 1.5
"""An instance predicted more than this many times too far is a hole: what photometric training
digs where an object moves with the camera (Godard et al. 2019, sec. 3.2)."""


def region_metrics(
    predicted_m: FloatArray,
    true_m: FloatArray,
    motion: NDArray[np.integer],
    instances: NDArray[np.integer] | None,
) -> dict[str, float]:
    """Judges the pixels of one image with true depth, region by region.

    Args:
        predicted_m: (N,) metres, under the median scale of the whole image.
        true_m: (N,) metres.
        motion: (N,), 1, 2 and 3 on static, moving and co-moving instances.
        instances: (N,) numbers of instances, 0 for background; without, there are no holes.

    Returns:
        As `<region>/<metric>`, for each region that has a pixel: `abs_rel`, `rmse`, `a1`, and
        `hole_rate`, if it has an instance. A NaN in a region makes its metrics NaN.
    """
    found: dict[str, float] = {}
    for value, region in enumerate(REGIONS, start=1):
        inside = motion == value
        if not inside.any():
            continue
        predicted, true = predicted_m[inside], true_m[inside]
        found[f"{region}/abs_rel"] = abs_rel(predicted, true)
        found[f"{region}/rmse"] = rmse(predicted, true)
        found[f"{region}/a1"] = within(predicted, true, 1.25)
        if instances is not None and instances[inside].any():
            found[f"{region}/hole_rate"] = hole_rate(predicted, true, instances[inside])
    return found


def hole_rate(predicted_m: FloatArray, true_m: FloatArray, instances: NDArray[np.integer]) -> float:
    """The share of instances whose median depth is predicted over `HOLE_FACTOR` times the true one.

    Args:
        predicted_m: (N,) metres.
        true_m: (N,) metres.
        instances: (N,) numbers of instances, at least one of which is not 0, the background.
    """
    own = [instances == number for number in np.setdiff1d(instances, [0])]
    too_far = np.array([np.median(predicted_m[one]) / np.median(true_m[one]) for one in own])
    return share(too_far > HOLE_FACTOR, too_far)


def region_counts(rows: Iterable[Iterable[str]]) -> dict[str, float]:
    """`<region>/num_images`: over how many images the means of a region are.

    Args:
        rows: the names of what `region_metrics`, or `evaluate_image`, found in each image.

    Returns:
        A count for every region, or nothing where no image has any.
    """
    held = [name for row in rows for name in row]
    counts = {f"{region}/num_images": float(held.count(f"{region}/abs_rel")) for region in REGIONS}
    return counts if any(counts.values()) else {}
