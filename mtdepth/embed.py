"""Predicts the offsets of a split once, so that they can be clustered in many ways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from mtdepth.checkpoint import load_network
from mtdepth.checkpoint_files import state_path
from mtdepth.config import TrainConfig
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.pack.digests import file_digest
from mtdepth.device import best_device
from mtdepth.evaluate import chosen_samples, chunks
from mtdepth.instances.embeddings import Embedding, as_batch, write_embeddings
from mtdepth.metrics.names import Split
from mtdepth.model.network import Network, image_size


def embed(checkpoint: Path, split: Split, out: Path, *, whole: bool) -> None:
    """Writes the embeddings of the images of a split that have an instance map.

    They are the offsets that `evaluate` clusters.

    Args:
        checkpoint: directory of the trained model.
        split: of the data that it was trained on.
        out: Arrow file.
        whole: all of the split, however much of it the training was validated on.

    Raises:
        ValueError: the model knows no instances, the split shows none that count, or the
            checkpoint or the data is not as it should be.
    """
    network, config = load_network(checkpoint, best_device())
    expect_instances(checkpoint, config)
    data = open_split(config.data, split)
    limit = None if whole else config.max_val_samples
    chosen = [i for i in chosen_samples(len(data), split, limit) if data.has_instances(i)]
    if not chosen:
        raise ValueError(
            f"{checkpoint}: expected images with instance maps in the {split} split of "
            f"{config.data.name}, found none: there is nothing to judge a clustering by"
        )
    told = told_of_checkpoint(checkpoint, config, split, limit)
    write_embeddings(out, _batches(network, config, data, chosen, told))


def expect_instances(checkpoint: Path, config: TrainConfig) -> None:
    """Sees that a model predicts offsets.

    Raises:
        ValueError: it was not trained to.
    """
    if "instances" not in config.tasks:
        raise ValueError(
            f"{checkpoint}: expected a model that has learned instances, found one that has "
            f"learned {' and '.join(config.tasks)} alone: it has no offsets to cluster"
        )


def told_of_checkpoint(
    checkpoint: Path, config: TrainConfig, split: Split, limit: int | None = None
) -> dict[str, Any]:
    """What embeddings of a split are made of; the same again means the same offsets."""
    return {
        "split": split,
        "checkpoint": file_digest(state_path(checkpoint)),
        "data": config.data.model_dump(mode="json"),
        "height": config.data.height,
        "width": config.data.width,
        "min_area": config.offsets.min_area,
        "limit": limit,
    }


@torch.no_grad()
def _batches(
    network: Network, config: TrainConfig, data: SplitData, chosen: list[int], told: dict[str, Any]
) -> Iterator[pa.RecordBatch]:
    device = next(network.parameters()).device
    for indices, _ in chunks(data, chosen, config.batch_size):
        batch = data.batch(indices, neighbours=False).to(device)
        offsets = network(batch.target, None).offsets
        assert offsets is not None
        assert batch.instances is not None
        offsets_px = (offsets * image_size(offsets)).cpu().numpy()
        maps = batch.instances.numbers.cpu().numpy()
        yield as_batch(
            [
                Embedding(image=str(data.frames[i]), offsets_px=px, instances=true)
                for i, px, true in zip(indices, offsets_px, maps, strict=True)
            ],
            told,
        )
