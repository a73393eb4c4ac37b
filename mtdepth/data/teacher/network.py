"""The Mask R-CNNs to choose from, all with Cityscapes' eight classes."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn
from torchvision.models.detection import (
    MaskRCNN,
    maskrcnn_resnet50_fpn,
    maskrcnn_resnet50_fpn_v2,
)
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from mtdepth.config import EncoderConfig
from mtdepth.data.labels import LABELS
from mtdepth.data.teacher.config import NetworkConfig
from mtdepth.model.encoder import Encoder

NUM_CLASSES = 1 + len(LABELS)
"""Background is class 0, `LABELS` are 1 to 8."""
FIRST_LAYERS = ("backbone.body.conv1.", "backbone.body.bn1.", "backbone.body.layer1.")
SMALL_WIDTH, SMALL_CHANNELS, SMALL_HIDDEN = 16, 64, 256
SMALL_ANCHORS_PX = (8, 16, 32, 64, 128)


def build_network(config: NetworkConfig) -> nn.Module:
    """A Mask R-CNN as the random state initialises it."""
    sizes = {"min_size": config.sides, "max_size": config.max_side}
    if config.name == "small":
        network = _small(**sizes)
    else:
        of_name = {"resnet50": maskrcnn_resnet50_fpn, "resnet50-v2": maskrcnn_resnet50_fpn_v2}
        network = of_name[config.name](
            weights=None, weights_backbone=None, num_classes=NUM_CLASSES, **sizes
        )
    if config.weights != "none":
        _keep_what_is_general(network, eps=0.0 if config.name == "resnet50" else None)
    return network


def set_training(network: nn.Module) -> None:
    """Training mode, but for the batch norm of a network that began with weights."""
    network.train()
    for norm in _norms(network):
        norm.train(norm.weight.requires_grad)


def _keep_what_is_general(network: nn.Module, eps: float | None) -> None:
    """Freezes the first layers, and batch norm: a few images are too few to measure it on.

    torchvision's first COCO model was trained with an epsilon of 0 in it.
    """
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(FIRST_LAYERS))
    for norm in _norms(network):
        norm.requires_grad_(False)
        norm.eps = norm.eps if eps is None else eps


def _norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


class _SmallBackbone(nn.Module):
    """A slim ResNet-18 under a feature pyramid (Lin et al. 2017)."""

    out_channels = SMALL_CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.body = Encoder(EncoderConfig(width=SMALL_WIDTH, weights="none"))
        self.fpn = FeaturePyramidNetwork(
            list(self.body.channels), self.out_channels, LastLevelMaxPool()
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Images (B, 3, H, W) in [0, 1] to maps of strides 4, 8, 16, 32 and 64."""
        last = self.body(images).last
        return self.fpn(OrderedDict((str(level), x) for level, x in enumerate(last)))


def _small(**sizes: object) -> nn.Module:
    backbone = _SmallBackbone()
    channels = backbone.out_channels
    anchors = AnchorGenerator(
        tuple((size,) for size in SMALL_ANCHORS_PX), ((0.5, 1.0, 2.0),) * len(SMALL_ANCHORS_PX)
    )
    return MaskRCNN(
        backbone,
        image_mean=[0.0, 0.0, 0.0],  # the encoder normalises by itself
        image_std=[1.0, 1.0, 1.0],
        rpn_anchor_generator=anchors,
        rpn_pre_nms_top_n_train=500,
        rpn_post_nms_top_n_train=250,
        rpn_pre_nms_top_n_test=250,
        rpn_post_nms_top_n_test=100,
        box_batch_size_per_image=64,
        box_head=TwoMLPHead(channels * 7 * 7, SMALL_HIDDEN),
        box_predictor=FastRCNNPredictor(SMALL_HIDDEN, NUM_CLASSES),
        mask_head=MaskRCNNHeads(channels, (channels, channels), 1),
        mask_predictor=MaskRCNNPredictor(channels, channels, NUM_CLASSES),
        **sizes,
    )
