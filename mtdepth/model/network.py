"""The network of the study: shared encoder and decoder, a branch for each task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from mtdepth.config import TrainConfig
from mtdepth.geometry import depth_from_disparity, invert_rigid
from mtdepth.model.attention import (
    DecoderAttention,
    EncoderAttention,
    decoder_transfers,
    encoder_transfers,
)
from mtdepth.model.decoder import Decoder, conv3x3
from mtdepth.model.encoder import Encoder, Features
from mtdepth.model.pose import PoseDecoder

NUM_SCALES = 4
"""Disparity is predicted at full, 1/2, 1/4 and 1/8 size."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What the network says of a batch; None for what was not learned or not asked for."""

    disparities: tuple[Tensor, ...] | None = None
    """Scales 0 to 3, each (B, 1, H/2^s, W/2^s): sigmoid disparity in [0, 1]."""
    offsets: Tensor | None = None
    """(B, 2, H, W): x and y from each pixel to its instance's centroid, in image sizes."""
    source_T_target: Tensor | None = None
    """(B, 2, 4, 4): to the frame before, and to the frame after."""


@dataclass(frozen=True, kw_only=True)
class ImagePrediction:
    """What the network says of single images, in units that a user wants."""

    disparity: Tensor | None
    """(B, 1, H, W) sigmoid disparity in [0, 1]."""
    depth_m: Tensor | None
    """(B, 1, H, W) metres, up to the scale that monocular video leaves open."""
    offsets_px: Tensor | None
    """(B, 2, H, W) x and y in pixels."""


class Network(nn.Module):
    """Depth, pose and instance offsets from one ResNet-18.

    Args:
        config: the training; its tasks, attention, widths and pose encoder shape the network.

    Raises:
        ValueError: the encoder's weights can't be had.
    """

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder)
        channels = self.encoder.channels
        self.decoder = Decoder((config.encoder.width, *channels), config.decoder.width)
        if config.attention != "none":
            self.encoder_transfers = encoder_transfers(channels)
        if config.attention == "encoder+decoder":
            self.decoder_transfers = decoder_transfers(channels[-1], self.decoder.channels)
        if "depth" in config.tasks:
            self.pose = _Pose(config, channels)
        # What all arms of a study have is made first, so that a seed starts them alike.
        self.branches = nn.ModuleDict(
            {task: _Branch(task, config, channels, self.decoder) for task in sorted(config.tasks)}
        )

    def forward(self, target: Tensor, sources: Tensor | None = None) -> Predictions:
        """Predictions for a batch.

        Args:
            target: (B, 3, H, W) in [0, 1].
            sources: (B, 2, 3, H, W), the frames before and after; needed for pose.
        """
        learns_pose = "depth" in self.config.tasks and sources is not None
        with self.lowered(target.device):
            if not learns_pose or self.config.pose.encoder == "separate":
                features = shared = self.encoder(target)
            else:
                assert sources is not None
                frames = torch.cat([target, sources[:, 0], sources[:, 1]])  # (3B, 3, H, W)
                shared = self.encoder(frames)
                features = shared[: len(target)]
            maps = self._decode(features)
        outputs = {task: self._branch(task).head(finest) for task, finest in maps.items()}
        depth, offsets = outputs.get("depth"), outputs.get("instances")
        return Predictions(
            disparities=tuple(torch.sigmoid(x) for x in depth) if depth else None,
            offsets=offsets[0].contiguous() if offsets else None,
            source_T_target=self.pose(self, target, sources, shared) if learns_pose else None,
        )

    def lowered(self, device: torch.device) -> torch.autocast:
        """Within it, features are of the precision that is trained in."""
        lower = self.training and self.config.precision == "bf16"
        return torch.autocast(device.type, torch.bfloat16, enabled=lower)

    def _decode(self, features: Features) -> dict[str, Sequence[Tensor]]:
        """What each task's heads see, from fine to coarse."""
        attention = self.config.attention
        whole = None if attention == "encoder" else self.decoder(features.stem, features.last)
        outputs = {}
        for task in self.branches:
            branch, stages = self._branch(task), features.last
            if branch.encoder is not None:
                stages = branch.encoder(features, self.encoder_transfers)
            decoded = whole or self.decoder(features.stem, stages)
            maps: Sequence[Tensor] = decoded.last
            if branch.decoder is not None:
                maps = branch.decoder(
                    stages[-1], decoded.first, decoded.last, self.decoder_transfers
                )
            outputs[task] = maps[::-1]
        return outputs

    def _branch(self, task: str) -> _Branch:
        branch = self.branches[task]
        assert isinstance(branch, _Branch)
        return branch

    @torch.no_grad()
    def predict(self, images: Tensor) -> ImagePrediction:
        """Depth and offsets of images (B, 3, H, W) in [0, 1], without training anything."""
        was_training = self.training
        self.eval()
        predictions = self(images)
        self.train(was_training)
        disparity = predictions.disparities[0] if predictions.disparities else None
        depth = self.config.depth
        return ImagePrediction(
            disparity=disparity,
            depth_m=None
            if disparity is None
            else depth_from_disparity(disparity, depth.min_m, depth.max_m),
            offsets_px=None
            if predictions.offsets is None
            else predictions.offsets * image_size(predictions.offsets),
        )


class _Branch(nn.Module):
    """What one task has for itself: its masks, and the heads of its outputs."""

    def __init__(
        self, task: str, config: TrainConfig, channels: Sequence[int], decoder: Decoder
    ) -> None:
        super().__init__()
        attends = config.attention
        self.encoder = None if attends == "none" else EncoderAttention(channels)
        self.decoder = DecoderAttention(decoder.channels) if attends == "encoder+decoder" else None
        finest_first = decoder.channels[::-1]
        if task == "depth":
            heads = [conv3x3(c, 1) for c in finest_first[:NUM_SCALES]]
            bias = config.decoder.disparity_bias
        else:
            heads, bias = [conv3x3(finest_first[0], 2)], 0.0
        for head in heads:
            assert head.bias is not None
            nn.init.constant_(head.bias, bias)
        self.heads = nn.ModuleList(heads)

    def head(self, finest: Sequence[Tensor]) -> list[Tensor]:
        """The outputs, from fine to coarse, as precise as the parameters."""
        precision = next(self.heads.parameters()).dtype
        return [head(x.to(precision)) for head, x in zip(self.heads, finest, strict=False)]


class _Pose(nn.Module):
    """Pose from the shared features, attended or not, or from an encoder of its own."""

    def __init__(self, config: TrainConfig, channels: Sequence[int]) -> None:
        super().__init__()
        self.source = config.pose.encoder
        if self.source == "attended" and config.attention == "none":
            self.source = "shared"
        if self.source == "attended":
            self.attention = EncoderAttention(channels)
        if self.source == "separate":
            self.encoder = Encoder(config.encoder, num_images=2)
        self.decoder = PoseDecoder(
            channels[-1],
            num_features=1 if self.source == "separate" else 2,
            width=4 * config.encoder.width,
            config=config.pose,
        )

    def forward(
        self, network: Network, target: Tensor, sources: Tensor, shared: Features
    ) -> Tensor:
        """`source_T_target` (B, 2, 4, 4); `shared` is of targets, frames before, frames after."""
        if self.source == "separate":
            before, after = sources.unbind(1)
            pairs = [torch.cat([before, target], 1), torch.cat([target, after], 1)]
            with network.lowered(target.device):
                # one after the other, as in monodepth2: batch norm never sees both together
                deepest = torch.cat([self.encoder(x).last[-1] for x in pairs])
            later_T_earlier = self.decoder(deepest.to(target))
        else:
            deepest = shared.last[-1]
            if self.source == "attended":
                with network.lowered(target.device):
                    deepest = self.attention(shared, network.encoder_transfers)[-1]
            now, before, after = deepest.to(target).chunk(3)
            later_T_earlier = self.decoder(torch.cat([before, now]), torch.cat([now, after]))
        target_T_before, after_T_target = later_T_earlier.chunk(2)
        return torch.stack([invert_rigid(target_T_before), after_T_target], 1)


def image_size(maps: Tensor) -> Tensor:
    """(1, 2, 1, 1): width and height of (B, 2, H, W) maps, in their type and on their device."""
    return _size(maps.shape[-1], maps.shape[-2], maps.dtype, maps.device)


@lru_cache(maxsize=8)
def _size(width: int, height: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor([width, height], dtype=dtype, device=device).view(1, 2, 1, 1)
