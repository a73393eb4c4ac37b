"""How well a teacher labels images that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import nn

from mtdepth.data.teacher.ahead import read_batches
from mtdepth.data.teacher.config import LabelConfig, SourceConfig
from mtdepth.data.teacher.examples import only_instances, read_example
from mtdepth.data.teacher.labelling import label_images
from mtdepth.data.teacher.sources import Pair
from mtdepth.instances.clustering import Instances
from mtdepth.metrics.instances import average_precision

LOWEST_SCORE = 0.05
"""Average precision weighs detections by their score, and so wants to see poor ones too."""


def judge(
    network: nn.Module,
    pairs: Sequence[Pair],
    config: SourceConfig,
    batch_size: int,
    num_threads: int = 0,
) -> dict[str, float]:
    """Average precision of the maps that a teacher draws, all classes as one.

    Args:
        network: in evaluation mode.
        pairs: images and their true maps, of which `config.max_val_images` are judged.
        config: which instances count.
        batch_size: images a step.
        num_threads: how many read images ahead.

    Returns:
        `ap` and `ap50`, see `average_precision`; empty where the true maps are.
    """
    chosen = _spread(pairs, config.max_val_images)
    limits = LabelConfig(score=LOWEST_SCORE, min_area=0)
    predicted: list[Instances] = []
    true: list[NDArray[np.integer]] = []
    for batch in read_batches(read_example, chosen, batch_size, num_threads):
        found = label_images(network, [example.pixels for example in batch], limits)
        predicted += [labelled.instances for labelled in found]
        true += [only_instances(example.instances).numpy() for example in batch]
    return average_precision(predicted, true, min_area=config.min_area)


def _spread(pairs: Sequence[Pair], most: int | None) -> list[Pair]:
    """At most so many, evenly spread."""
    if most is None or most >= len(pairs):
        return list(pairs)
    return [pairs[index * len(pairs) // most] for index in range(most)]
