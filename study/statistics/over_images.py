"""The difference of two methods without randomness: what could have been others are the images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from study.statistics.intervals import NO_INTERVAL
from study.statistics.samples import CONFIDENCE
from study.statistics.summaries import Difference


def image_difference(
    value: float,
    reference: float,
    drawn: Sequence[float],
    reference_drawn: Sequence[float],
    num_images: int,
) -> Difference:
    """Compares two by a paired bootstrap over images (Efron and Tibshirani 1993, sec. 13.3, 16.4).

    Args:
        value: the metric on the images that there are.
        reference: the same of the reference.
        drawn: (B,) the metric on B draws of the images; empty where it is not known.
        reference_drawn: the same of the reference on the same draws.
        num_images: that there are.

    Returns:
        The difference, the percentile interval, and twice the share of draws on the far side of
        zero. Draws without a finite value are left out.
    """
    differences = np.asarray(drawn, np.float64) - np.asarray(reference_drawn, np.float64)
    differences = differences[np.isfinite(differences)]
    num = len(differences)
    low, high, p = math.nan, math.nan, math.nan
    if num > 1 and num_images > 1:
        share = (1 - CONFIDENCE) / 2
        low, high = (float(x) for x in np.quantile(differences, [share, 1 - share]))
        far = min((differences <= 0).sum(), (differences >= 0).sum())
        p = min(1.0, 2 * (int(far) + 1) / (num + 1))
    return Difference(
        num_pairs=num_images,
        mean=value - reference,
        std=math.nan,
        low=low,
        high=high,
        interval=(low, high) if num > 1 else NO_INTERVAL,
        effect=math.nan,
        test="images",
        p_value=p,
        smallest_p=2 / (num + 1) if num > 1 else math.nan,
    )
