"""A network that was never trained, and what it would say had it learned a little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtdepth.checkpoint import Training
from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data.loader import open_split
from mtdepth.embed import told_of_checkpoint
from mtdepth.instances.embeddings import Embedding, as_batch, write_embeddings
from mtdepth.metrics.names import Split
from study.space import Space
from tests.mtdepth.batches import LEARNING
from tests.mtdepth.instances.scenes import noisy_offsets

POOR = {"min_samples": 60, "eps": 1.0, "max_eps": 2.0}
"""A way of clustering that leaves something to search for."""
SEARCHED = {
    "optics.eps": {"type": "float", "low": 0.5, "high": 3},
    "optics.min_samples": {"type": "int", "low": 5, "high": 60, "log": True},
}


def save_model(directory: Path, data: DataConfig, tasks: tuple[str, ...] = ("instances",)) -> Path:
    """The checkpoint of a network with random weights."""
    told = {**LEARNING, "tasks": tasks, "data": data, "optics": POOR}
    config = TrainConfig.model_validate(told)
    Training.start(config, torch.device("cpu")).save(directory)
    return directory


def say(out: Path, checkpoint: Path, data: DataConfig, split: Split, noise_px: float) -> Path:
    """Embeddings as if the network had said the true offsets of a split, with noise."""
    opened = open_split(data, split)
    rows = []
    for index, frame in enumerate(opened.frames):
        batch = opened.batch([index], neighbours=False).to("cpu")
        assert batch.instances is not None
        true = batch.instances.numbers[0].numpy()
        offsets_px = noisy_offsets(true, noise_px, index).astype(np.float32)
        rows.append(Embedding(image=str(frame), offsets_px=offsets_px, instances=true))
    config = TrainConfig.model_validate_json((checkpoint / "config.json").read_text())
    told = told_of_checkpoint(checkpoint, config, split)
    write_embeddings(out / f"{split}.arrow", iter([as_batch(rows, told)]))
    return out


def clustering_space(checkpoint: str | Path | None, **changes: Any) -> Space:
    """`defaults` against `tuned`, which searches six ways of clustering."""
    content: dict[str, Any] = {
        "kind": "clustering",
        "study": "clustering",
        "question": "Which?",
        "checkpoint": None if checkpoint is None else str(checkpoint),
        "arms": {
            "defaults": {"search": False, "set": {"optics": POOR}},
            "tuned": {"set": {"optics": {"max_eps": 3}}},
        },
        "objective": {
            "metric": "val/instances/ap50",
            "mode": "max",
            "against": [{"metric": "val/instances/cluster_ms", "mode": "min"}],
        },
        "search": {"trials_per_arm": 6, "space": SEARCHED},
        "compare": {
            "baseline": "defaults",
            "metrics": ["test/instances/ap50", "test/instances/cluster_ms"],
        },
    }
    return Space.model_validate({**content, **changes})
