"""Where the time of a training step goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch

from mtdepth.bench.machine import now
from mtdepth.checkpoint import Training
from mtdepth.data.augmentation import augment
from mtdepth.data.batch import Batch
from mtdepth.data.loader import SplitData
from mtdepth.data.mixture import Mixture
from mtdepth.losses import task_losses
from mtdepth.losses.photometric import PhotometricError, upsampled_depth, warp_sources
from mtdepth.model.network import Predictions


class Laps:
    """Adds up what passes between one call and the next, by name."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)
        self._last = now(device)

    def lap(self, name: str) -> None:
        """Names what has passed since the last call."""
        time = now(self.device)
        self.seconds[name] += time - self._last
        self._last = time


def time_parts(
    training: Training,
    data: SplitData | Mixture,
    indices: Sequence[int],
    generator: torch.Generator,
    device: torch.device,
) -> dict[str, float]:
    """Seconds of each part of one step; forward passes, but for `backward` and `optimiser`."""
    config, network = training.config, training.network
    learns_depth = "depth" in config.tasks
    laps = Laps(device)
    loaded = data.batch(indices, neighbours=learns_depth)
    laps.lap("loading")
    copied = loaded.to(device)
    laps.lap("copy")
    batch, seen = augment(copied, config.augmentation, generator)
    laps.lap("augmentation")
    predictions = _predict(training, seen, laps)
    losses = task_losses(predictions, batch, config)
    laps.lap("other losses")
    training.optimizer.zero_grad(set_to_none=True)
    training.weighting.backward(losses, list(network.parameters()))
    laps.lap("backward")
    training.optimizer.step()
    laps.lap("optimiser")
    if learns_depth:
        for name, seconds in _of_photometric_loss(predictions, batch, training, device).items():
            laps.seconds[name] = seconds
            laps.seconds["other losses"] -= seconds
    return dict(laps.seconds)


def _predict(training: Training, seen: Batch, laps: Laps) -> Predictions:
    network = training.network
    ends = [network.encoder.register_forward_hook(lambda *_: laps.lap("encoder"))]
    if "depth" in training.config.tasks:
        ends += [
            network.pose.register_forward_pre_hook(lambda *_: laps.lap("decoder and attention")),
            network.pose.register_forward_hook(lambda *_: laps.lap("pose")),
        ]
    predictions: Predictions = network(
        seen.target, seen.sources if "depth" in training.config.tasks else None
    )
    laps.lap("decoder and attention")
    for hook in ends:
        hook.remove()
    return predictions


def _of_photometric_loss(
    predictions: Predictions, batch: Batch, training: Training, device: torch.device
) -> dict[str, float]:
    """Seconds of its warps and its errors, each once more on its own."""
    assert predictions.disparities is not None
    assert predictions.source_T_target is not None
    config = training.config.depth
    laps = Laps(device)
    disparities = tuple(x.detach().requires_grad_() for x in predictions.disparities)
    depth_m = upsampled_depth(disparities, config)
    motion = predictions.source_T_target.detach().requires_grad_()
    laps.lap("depth")
    warped = warp_sources(depth_m, motion, batch)
    laps.lap("warps")
    error = PhotometricError(batch.target, config.ssim)
    error(warped.flatten(0, 1))
    error(batch.sources.transpose(0, 1))
    laps.lap("SSIM and L1")
    del laps.seconds["depth"]
    return dict(laps.seconds)
