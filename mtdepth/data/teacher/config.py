"""What a teacher can be told. Nothing heavy is imported here."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mtdepth.config import Config, Count, DataSetConfig, NonNegative, Positive

Share = Annotated[float, Field(ge=0, le=1)]
Area = Annotated[int, Field(ge=0)]

SMALL = {"sides": (128,), "max_side": 1024}
"""What `NetworkConfig` takes for granted of `small`."""


class SourceConfig(DataSetConfig):
    """The images and instance maps to learn from. Cityscapes' images need no snippets around them
    (`leftImg8bit`), KITTI raw's a map beside each in `instance_02` or `instance_03`."""

    min_area: Area = 12
    """Instances with fewer pixels are neither learned nor judged."""
    max_val_images: Count | None = 100
    """Judge on so many images, evenly spread over the validation split; none means all."""


class NetworkConfig(Config):
    """The Mask R-CNN, and what it begins with."""

    name: Literal["resnet50", "resnet50-v2", "small"] = "resnet50"
    """torchvision's `maskrcnn_resnet50_fpn`, or its `_v2`, or a slim ResNet-18 with slim heads for
    images of some hundred pixels."""
    weights: str = "coco"
    """`coco` (torchvision's, downloaded once), `none` for a random start, or a file: torchvision's
    state dict, or the `state.pt` of a teacher. A network that begins with weights keeps its first
    layers, and its batch norm, as they are."""
    sides: Annotated[tuple[Count, ...], Field(min_length=1)] = (800, 832, 864, 896, 928, 960, 1024)
    """Images are resized so that their shorter side has one of so many pixels, at random in
    training (He et al. 2017, appendix A); the last in labelling. Those of `small` are 128."""
    max_side: Count = 2048
    """Longer sides than this are not made, whatever `sides` says."""

    @model_validator(mode="before")
    @classmethod
    def _of_small(cls, told: Any) -> Any:
        if isinstance(told, dict) and told.get("name") == "small":
            return {**SMALL, **told}
        return told

    @model_validator(mode="after")
    def _has_weights(self) -> Self:
        if self.name == "small" and self.weights == "coco":
            raise ValueError(
                "COCO weights exist for resnet50 and resnet50-v2, found the network 'small'; "
                "choose the weights 'none' or a file"
            )
        return self


class LabelConfig(Config):
    """Which detections become instances. Where they overlap, the better score is on top."""

    score: Share = 0.5
    """Detections that score no more are left out."""
    min_area: Area = 100
    """So are those of which fewer pixels are seen once better ones are drawn."""
    min_visible: Share = 0.5
    """So are those of which a smaller share is seen: mostly second looks at one object (Kirillov
    et al. 2019, Panoptic FPN, sec. 4.1)."""


class TeacherConfig(Config):
    """One training of a teacher. SGD and its schedule are those of torchvision's recipe for Mask
    R-CNN; the number of epochs is that of He et al. (2017, appendix A) for Cityscapes from COCO."""

    source: SourceConfig = SourceConfig()
    network: NetworkConfig = NetworkConfig()
    epochs: Count = 12
    """Passes over the training images."""
    batch_size: Count = 4
    """Images a step."""
    lr_per_image: Positive = 0.00125
    """Learning rate of a batch of one image; it grows with the batch (torchvision: 0.02 for 16)."""
    momentum: Share = 0.9
    """SGD's."""
    weight_decay: NonNegative = 1e-4
    """SGD's L2 penalty."""
    warm_up_steps: Count = 1000
    """Steps over which the rate rises from a thousandth, but the first epoch's at most."""
    lr_drops: tuple[Share, ...] = (0.75, 0.9)
    """After these shares of the epochs, the rate falls to a tenth."""
    flip: Share = 0.5
    """Probability of a horizontal flip."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Initialisation, data order, flips and the sampling of proposals follow from it."""
