"""A teacher's detections to one instance map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mtdepth.data.labels import IDS_A_LABEL, LABELS
from mtdepth.data.teacher.config import LabelConfig
from mtdepth.instances.clustering import Instances

MASK_THRESHOLD = 0.5
"""Probability from which a pixel belongs to a detection (He et al. 2017, sec. 3.1)."""


@dataclass(frozen=True)
class Labelled:
    """The instances of an image."""

    instances: Instances
    """Map of 0 for background and 1..n in order of falling score, and the scores."""
    labels: tuple[int, ...]
    """Cityscapes' label id of each."""

    def ids(self) -> NDArray[np.uint16]:
        """(H, W) instance map: `label_id * 1000 + k`, k counts a label's instances from 0."""
        seen = dict.fromkeys(LABELS, 0)
        table = [0]
        for label in self.labels:
            table.append(label * IDS_A_LABEL + seen[label])
            seen[label] += 1
        assert max(seen.values()) <= IDS_A_LABEL
        return np.array(table, np.uint16)[self.instances.map]


@torch.inference_mode()
def label_images(
    network: nn.Module, images: Sequence[Tensor], config: LabelConfig
) -> list[Labelled]:
    """The instances of some images.

    Args:
        network: a teacher in evaluation mode. One whose weights are NaN would detect nothing, but
            no checkpoint holds such.
        images: each (3, H, W) uint8 RGB; sizes may differ. Only neighbours of one size go through
            the network together: torchvision pads the others, and that shows.
        config: which detections count.
    """
    device = next(network.parameters()).device
    heads = cast(nn.Module, network.roi_heads)
    heads.score_thresh = config.score  # type: ignore[assignment]
    labelled: list[Labelled] = []
    for _, alike in groupby(images, key=lambda image: image.shape):
        detected = network([image.to(device).float() / 255 for image in alike])
        labelled += [resolve(detections, config) for detections in detected]
    return labelled


def resolve(detections: Mapping[str, Tensor], config: LabelConfig) -> Labelled:
    """Draws detections over each other, the best on top.

    Args:
        detections: as torchvision gives them: `scores` (N,) in [0, 1], `labels` (N,) classes 1 to
            8, `masks` (N, 1, H, W) probabilities. A NaN among scores or masks counts as 0.
        config: which of them count.
    """
    masks = detections["masks"][:, 0] >= MASK_THRESHOLD
    drawn = torch.zeros(masks.shape[1:], dtype=torch.int32, device=masks.device)
    labels: list[int] = []
    scores: list[float] = []
    all_scores = detections["scores"].nan_to_num(0)
    for i in torch.argsort(all_scores, descending=True, stable=True).tolist():
        if all_scores[i] <= config.score:
            break
        seen = masks[i] & (drawn == 0)
        area, visible = int(masks[i].sum()), int(seen.sum())
        if visible < max(config.min_area, 1) or visible < config.min_visible * area:
            continue
        labels.append(LABELS[int(detections["labels"][i]) - 1])
        scores.append(float(all_scores[i]))
        drawn[seen] = len(labels)
    return Labelled(Instances(drawn.cpu().numpy(), np.array(scores, np.float64)), tuple(labels))
