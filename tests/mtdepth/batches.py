"""Small batches that tests are made of."""

from typing import Any

import numpy as np
import torch

from mtdepth.config import DecoderConfig, EncoderConfig, TrainConfig
from mtdepth.data.batch import Batch
from mtdepth.instances.targets import InstanceLabels, batch_labels, number_instances

LEARNING: dict[str, Any] = {
    "encoder": {"width": 8, "weights": "none"},
    "decoder": {"width": 4, "disparity_bias": -3},
    "depth": {"min_m": 1, "max_m": 80},
    "pose": {"translation_m": 0.1, "forward_m": 0.5},
    "optimizer": {"lr": 1e-3},
    "batch_size": 2,
    "max_steps_per_epoch": 2,
}
"""A training that learns in seconds."""
SMALL = {
    "encoder": EncoderConfig(width=8, weights="none"),
    "decoder": DecoderConfig(width=4),
}


def labels_of(maps: np.ndarray | torch.Tensor) -> InstanceLabels:
    """Of instance maps (B, H, W)."""
    return batch_labels([number_instances(np.asarray(one)) for one in maps])


def small_config(**changes: object) -> TrainConfig:
    return TrainConfig.model_validate({**SMALL, **changes})


def random_batch(size: int = 2, height: int = 64, width: int = 96, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    instances = np.zeros((size, height, width), dtype=np.int32)
    instances[:, 20:40, 30:60] = 26001
    intrinsics = torch.tensor(
        [[0.58 * width, 0, width / 2], [0, 1.9 * height, height / 2], [0, 0, 1]]
    )
    return Batch(
        target=torch.rand(size, 3, height, width, generator=generator),
        sources=torch.rand(size, 2, 3, height, width, generator=generator),
        intrinsics=intrinsics.expand(size, 3, 3),
        instances=labels_of(instances),
    )
