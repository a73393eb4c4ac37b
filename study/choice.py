"""Which test images a report shows: some of all, and those that tell the arms apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from study.events import Judged
from study.results import reference_arm
from study.shown import ShownImage
from study.space import Space
from study.trainable import higher_is_better

NUM_EVENLY, NUM_WORST, NUM_APART, NUM_COMOVING = 3, 2, 2, 2
COMOVING = "/comoving/"
"""Within the name of a metric: of objects that move at the camera's own speed."""
ByImage = Mapping[str, float]


def choose_images(space: Space, judged: Mapping[str, Iterable[Judged]]) -> list[ShownImage]:
    """The images to show, each with why.

    They are evenly chosen ones, those where the baseline does worst, those where arms differ most,
    and where there are cars that move with the camera, those where the baseline does worst on them.

    Args:
        space: the study.
        judged: what the models of each arm reached on the test split.
    """
    names = sorted({str(row["image"]) for found in judged.values() for one in found
                    for row in one.images})  # fmt: skip
    chosen: dict[str, list[str]] = {name: ["evenly chosen"] for name in _evenly(names)}

    def add(images: Iterable[str], why: str) -> None:
        for image in images:
            chosen.setdefault(image, []).append(why)

    metrics = [*space.compare.metrics, *_metrics_of_images(judged)]
    for metric in (m for m in metrics if COMOVING not in m):
        by_arm = {arm: _means(found, metric) for arm, found in judged.items()}
        baseline = by_arm.get(reference_arm(space, metric) or "", {})
        if baseline:
            bad = _worst(metric, baseline)
            add(bad[:NUM_WORST], f"among the worst of {reference_arm(space, metric)} by {metric}")
            apart = {name: by for name, by in _spread(by_arm.values()).items() if by > 0}
            add(sorted(apart, key=lambda n: -apart[n])[:NUM_APART], f"arms differ most in {metric}")
            break
    for metric in (m for m in metrics if COMOVING in m):
        baseline = _means(judged.get(reference_arm(space, metric) or "", []), metric)
        if baseline:
            bad = _worst(metric, baseline)
            add(bad[:NUM_COMOVING], f"co-moving cars, by {metric}")
            break
    return [ShownImage(image=image, why=why) for image, why in chosen.items()]


def _evenly(names: list[str]) -> list[str]:
    num = min(NUM_EVENLY, len(names))
    return [names[round((index + 0.5) * len(names) / num - 0.5)] for index in range(num)]


def _metrics_of_images(judged: Mapping[str, Iterable[Judged]]) -> list[str]:
    """Names of what images were judged by, in order, where no compared metric is told of them."""
    rows = (row for found in judged.values() for one in found for row in one.images)
    return sorted({name for row in rows for name in row if name != "image"})


def _means(judged: Iterable[Judged], metric: str) -> dict[str, float]:
    """A metric by image, as the mean over models; images without a finite value are left out."""
    values: dict[str, list[float]] = {}
    for one in judged:
        for row in one.images:
            value = row.get(metric)
            if value is not None and math.isfinite(value):
                values.setdefault(str(row["image"]), []).append(float(value))
    return {image: math.fsum(own) / len(own) for image, own in values.items()}


def _worst(metric: str, by_image: ByImage) -> list[str]:
    sign = 1 if higher_is_better(metric) else -1
    return sorted(by_image, key=lambda image: (sign * by_image[image], image))


def _spread(by_arm: Iterable[ByImage]) -> dict[str, float]:
    """Largest minus smallest of the arms that have an image; of two or more."""
    values: dict[str, list[float]] = {}
    for by_image in by_arm:
        for image, value in by_image.items():
            values.setdefault(image, []).append(value)
    return {image: max(own) - min(own) for image, own in sorted(values.items()) if len(own) > 1}
