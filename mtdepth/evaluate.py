"""Judges a network on a split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from mtdepth.checkpoint import load_network
from mtdepth.config import TrainConfig
from mtdepth.data.ahead import ahead
from mtdepth.data.batch import Batch
from mtdepth.data.loader import SplitData, open_split
from mtdepth.device import best_device
from mtdepth.metrics.names import Split
from mtdepth.model.network import Network
from mtdepth.scores import Scores


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What `evaluate` finds."""

    metrics: dict[str, float]
    """Over the whole split, by name: `test/depth/abs_rel`. What the data can't tell is left out,
    and a mean over images is over those that have the metric."""
    images: list[dict[str, str | float]]
    """The same for each image, whose name is under `image`."""
    replicates: dict[str, list[float]] = field(default_factory=dict)
    """Of the test split: metrics that are no means over images, on bootstrap draws of its images,
    the same draws for every model (`mtdepth.metrics.replicates`)."""


def evaluate(checkpoint: Path, split: Split) -> Evaluation:
    """Judges a checkpoint on a split of the data that it was trained on.

    Raises:
        ValueError: the checkpoint or the data is not as it should be.
    """
    device = best_device()
    network, config = load_network(checkpoint, device)
    return evaluate_network(network, config, split, device)


@torch.no_grad()
def evaluate_network(
    network: Network, config: TrainConfig, split: Split, device: torch.device
) -> Evaluation:
    """Judges a network on a split; `config.max_val_samples` bounds the validation split.

    How depth is judged is told by `config.evaluation`.
    """
    data = open_split(config.data, split)
    scores = Scores(config, data)
    flips = config.evaluation.flip and "depth" in config.tasks
    network.eval()
    chosen = chosen_samples(len(data), split, config.max_val_samples)

    def load(chunk: tuple[list[int], bool]) -> tuple[list[int], Batch]:
        indices, neighbours = chunk
        wanted = neighbours and "depth" in config.tasks
        return indices, data.batch(indices, neighbours=wanted).to(device)

    for indices, batch in ahead(load, chunks(data, chosen, config.batch_size)):
        predictions = network(batch.target, batch.sources if batch.sources.shape[1] else None)
        scores.add(indices, batch, predictions, network(batch.target.flip(-1)) if flips else None)
    drawn = scores.replicates() if split == "test" else {}
    return Evaluation(
        metrics={f"{split}/{name}": value for name, value in scores.metrics().items()},
        replicates={f"{split}/{name}": values for name, values in drawn.items()},
        images=[
            {"image": str(frame)} | {f"{split}/{name}": value for name, value in row.items()}
            for frame, row in sorted(scores.rows.items())
        ],
    )


def chosen_samples(num_samples: int, split: Split, limit: int | None) -> list[int]:
    """Which samples of a split are judged: all; or of validation `limit`, evenly spread."""
    if split != "val" or limit is None or limit >= num_samples:
        return list(range(num_samples))
    return [round(x) for x in np.linspace(0, num_samples - 1, limit).tolist()]


def chunks(data: SplitData, indices: Sequence[int], size: int) -> Iterator[tuple[list[int], bool]]:
    """Batches of indices, those with both neighbours, or an instance map, apart from the others."""
    having = {index: (data.has_neighbours(index), data.has_instances(index)) for index in indices}
    for kind in sorted(set(having.values()), reverse=True):
        some = [index for index in indices if having[index] == kind]
        for start in range(0, len(some), size):
            yield some[start : start + size], kind[0]
