"""What a teacher begins with: COCO's weights, a file's, or nothing that it was not told of."""

from __future__ import annotations

from pathlib import Path
from textwrap import shorten

import torch
from torch import Tensor, nn
from torchvision.models.detection import (
    MaskRCNN_ResNet50_FPN_V2_Weights,
    MaskRCNN_ResNet50_FPN_Weights,
)

from mtdepth.checkpoint_files import read_tensors
from mtdepth.data.teacher.config import NetworkConfig
from mtdepth.data.teacher.network import NUM_CLASSES

State = dict[str, Tensor]
COCO = {
    "resnet50": MaskRCNN_ResNet50_FPN_Weights.COCO_V1,
    "resnet50-v2": MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
}
COCO_NAMES = ("person", "person", "car", "truck", "bus", "train", "motorcycle", "bicycle")
"""What COCO calls each of `mtdepth.data.labels.LABELS`; a rider is a person."""
CLASS_SCORES = "roi_heads.box_predictor.cls_score.bias"
ROWS_A_CLASS = {
    "roi_heads.box_predictor.cls_score.": 1,
    "roi_heads.box_predictor.bbox_pred.": 4,
    "roi_heads.mask_predictor.mask_fcn_logits.": 1,
}
"""The layers that know classes, and how many rows of their parameters belong to one."""


def load_initial(network: nn.Module, config: NetworkConfig) -> None:
    """Loads the weights that the configuration names; with `none`, leaves all at random.

    Of COCO's classes, those that Cityscapes has too are kept. Where a file has other classes,
    the layers that know them stay at random.

    Raises:
        ValueError: the weights can't be had, or don't fit the network.
    """
    if config.weights == "none":
        return
    state = _download(config.name) if config.weights == "coco" else read_file(Path(config.weights))
    try:
        network.load_state_dict(_for_our_classes(state, network))
    except RuntimeError as error:
        found = str(error).partition("\n")[2] or str(error)  # load_state_dict's has a heading
        raise ValueError(
            f"--weights: {config.weights!r} does not fit the network {config.name!r}: "
            f"{shorten(found, 160)}"
        ) from None


def read_file(path: Path) -> State:
    """A state dict, or that of a teacher's checkpoint.

    Raises:
        ValueError: there is none.
    """
    if not path.is_file():
        raise ValueError(f"--weights: expected 'coco', 'none' or a file, found {str(path)!r}")
    state = read_tensors(path, "a state dict")
    state = state.get("network", state) if isinstance(state, dict) else {}
    found = state.values() if isinstance(state, dict) else ()
    if not found or not all(isinstance(value, Tensor) for value in found):
        raise ValueError(f"{path}: expected a state dict (names to tensors), found something else")
    return state


def _download(name: str) -> State:
    weights = COCO[name]
    try:
        return dict(weights.get_state_dict(check_hash=True, progress=False, weights_only=True))
    except Exception as error:  # no network, a wrong checksum, or a broken file in the cache
        raise ValueError(
            f"--weights: torchvision's COCO weights could not be had from {weights.url} "
            f"({' '.join(str(error).split()) or type(error).__name__}); give --weights FILE with "
            "that file, or --weights none for a random start"
        ) from None


def _for_our_classes(state: State, network: nn.Module) -> State:
    """The state with COCO's layers cut down to our classes, and other strange ones replaced."""
    categories: list[str] = COCO["resnet50"].meta["categories"]
    num_classes = state[CLASS_SCORES].numel() if CLASS_SCORES in state else NUM_CLASSES
    if num_classes == NUM_CLASSES:
        return state
    ours = network.state_dict()
    rows = torch.tensor([0, *map(categories.index, COCO_NAMES)])
    changed: State = {}
    for name, value in state.items():
        layer = next((layer for layer in ROWS_A_CLASS if name.startswith(layer)), None)
        if layer is None:
            changed[name] = value
        elif num_classes == len(categories):
            by_class = value.unflatten(0, (num_classes, ROWS_A_CLASS[layer]))
            changed[name] = by_class[rows].flatten(0, 1)
        else:
            changed[name] = ours[name]
    return changed
