"""What the network is taught by: one loss a task."""

from __future__ import annotations

from torch import Tensor

from mtdepth.config import TrainConfig
from mtdepth.data.batch import Batch
from mtdepth.losses.offsets import offset_loss
from mtdepth.losses.photometric import photometric_loss
from mtdepth.losses.smoothness import multiscale_smoothness
from mtdepth.model.network import Predictions


def task_losses(predictions: Predictions, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    """The unweighted loss of each task that `config` names, as scalars.

    Raises:
        ValueError: instances are to be learned from a batch without instance maps.
    """
    losses: dict[str, Tensor] = {}
    if "depth" in config.tasks:
        assert predictions.disparities is not None
        assert predictions.source_T_target is not None
        losses["depth"] = photometric_loss(
            predictions.disparities, predictions.source_T_target, batch, config.depth
        ) + config.depth.smoothness * multiscale_smoothness(predictions.disparities, batch.target)
    if "instances" in config.tasks:
        assert predictions.offsets is not None
        losses["instances"] = config.offsets.factor * offset_loss(
            predictions.offsets, batch, config.offsets
        )
    return losses
