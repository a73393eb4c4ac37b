"""The network's forward pass as the papers draw it, over the parameters of a `Network`.

Only its parameters are shared: no memory layout, no shared upsampling, each pair of frames by a
pass of its own through the pose decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtdepth.geometry import invert_rigid
from mtdepth.model.encoder import Encoder, Features
from mtdepth.model.network import Network, Predictions


def predict(network: Network, target: Tensor, sources: Tensor | None) -> Predictions:
    """What `Network.forward` says of the same frames."""
    learns_pose = "depth" in network.config.tasks and sources is not None
    separate = network.config.pose.encoder == "separate"
    if learns_pose and not separate:
        assert sources is not None
        shared = _encode(network.encoder, torch.cat([target, sources[:, 0], sources[:, 1]]))
        features = shared[: len(target)]
    else:
        features = shared = _encode(network.encoder, target)
    outputs = {task: _branch(network, task, features) for task in network.branches}
    motion = None
    if learns_pose:
        assert sources is not None
        motion = _pairs(network, target, sources) if separate else _motion(network, shared)
    depth = outputs.get("depth")
    return Predictions(
        disparities=tuple(torch.sigmoid(x) for x in depth) if depth else None,
        offsets=outputs["instances"][0] if "instances" in outputs else None,
        source_T_target=motion,
    )


def _encode(encoder: Encoder, images: Tensor) -> Features:
    """ResNet-18 (He et al. 2016)."""
    stem = torch.relu(encoder.bn1(encoder.conv1((images - 0.45) / 0.225)))
    x, first, last = F.max_pool2d(stem, 3, stride=2, padding=1), [], []
    for stage in (encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4):
        blocks = cast(nn.Sequential, stage)
        first.append(blocks[0](x))
        x = blocks[1](first[-1])
        last.append(x)
    return Features(stem=stem, first=tuple(first), last=tuple(last))


def _attend(masks: nn.ModuleList, transfers: nn.ModuleList, features: Features) -> list[Tensor]:
    """Encoder attention (Liu et al. 2019, eqs. 1 and 2)."""
    attended: list[Tensor] = []
    for stage, mask in enumerate(masks):
        seen = features.first[stage]
        if attended:
            carried = F.max_pool2d(transfers[stage - 1](attended[-1]), 2)
            seen = torch.cat([seen, carried], 1)
        attended.append(mask(seen) * features.last[stage])
    return attended


def _branch(network: Network, task: str, features: Features) -> list[Tensor]:
    """A task's outputs, from fine to coarse: decoder and attention, full size at each stage."""
    branch: Any = network.branches[task]
    attends = network.config.attention
    stages: Sequence[Tensor] = features.last
    if attends != "none":
        stages = _attend(branch.encoder.masks, network.encoder_transfers, features)
    own = stages if attends == "encoder" else features.last
    x, carried, maps = own[-1], stages[-1], []
    for stage, skip in enumerate([*reversed(own[:-1]), features.stem, None]):
        shallow = _doubled(F.elu(_conv(network.decoder.first[stage], x)))
        joined = shallow if skip is None else torch.cat([shallow, skip], 1)
        x = deep = F.elu(_conv(network.decoder.last[stage], joined))
        if attends == "encoder+decoder":
            seen = torch.cat([shallow, _doubled(network.decoder_transfers[stage](carried))], 1)
            deep = carried = branch.decoder.masks[stage](seen) * deep
        maps.append(deep)
    return [_conv(head, y) for head, y in zip(branch.heads, reversed(maps), strict=False)]


def _conv(layer: nn.Module, x: Tensor) -> Tensor:
    weight, bias = cast(Tensor, layer.weight), cast(Tensor, layer.bias)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), weight, bias)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _pairs(network: Network, target: Tensor, sources: Tensor) -> Tensor:
    """Motion by a pose encoder of its own, one pair of frames after the other."""
    before, after = sources.unbind(1)
    pose: Any = network.pose
    target_T_before, after_T_target = (
        pose.decoder(_encode(pose.encoder, torch.cat(pair, 1)).last[-1])
        for pair in ((before, target), (target, after))
    )
    return torch.stack([invert_rigid(target_T_before), after_T_target], 1)


def _motion(network: Network, shared: Features) -> Tensor:
    """Motion from the features of the frames, one pair after the other."""
    pose: Any = network.pose
    deepest = shared.last[-1]
    if pose.source == "attended":
        deepest = _attend(pose.attention.masks, network.encoder_transfers, shared)[-1]
    now, before, after = deepest.chunk(3)
    target_T_before, after_T_target = pose.decoder(before, now), pose.decoder(now, after)
    return torch.stack([invert_rigid(target_T_before), after_T_target], 1)
