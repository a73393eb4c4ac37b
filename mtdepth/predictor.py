"""A trained network that looks at images of any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image

from mtdepth.checkpoint import load_network
from mtdepth.config import OpticsConfig, Task
from mtdepth.data.source import resize_image, resize_nearest
from mtdepth.device import best_device
from mtdepth.instances.clustering import cluster


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What an image shows, at its own size but for the offsets; None for what isn't learned."""

    depth_m: NDArray[np.float32] | None
    """(H, W)."""
    offsets_px: NDArray[np.float32] | None
    """(2, h, w), at the network's size and in its pixels."""
    instances: NDArray[np.integer] | None
    """(H, W), 0 for background, 1..n."""


class Predictor:
    """The network of a checkpoint, on the GPU if there is one, and its way of clustering.

    Args:
        checkpoint: directory of the trained model.
        optics: how instances are clustered; left out, as the checkpoint is set to.

    Raises:
        ValueError: the checkpoint is not as it should be, or there is nothing to cluster.
    """

    def __init__(self, checkpoint: Path, *, optics: OpticsConfig | None = None) -> None:
        self._network, config = load_network(checkpoint, best_device())
        if optics is not None and "instances" not in config.tasks:
            raise ValueError(
                f"--optics: {checkpoint} has not learned instances: nothing to cluster"
            )
        self._optics = optics or config.optics
        self._data = config.data
        self.tasks: tuple[Task, ...] = config.tasks
        """What it has learned."""

    def look(self, image: Image.Image, scale: float = 1.0) -> Seen:
        """Predicts one image.

        Args:
            image: RGB.
            scale: factor of depth.
        """
        pixels = torch.from_numpy(resize_image(image, self._data.height, self._data.width))
        device = next(self._network.parameters()).device
        prediction = self._network.predict((pixels.float() / 255)[None].to(device))
        depth_m = offsets_px = instances = None
        if prediction.depth_m is not None:
            # Inverse depth is what the network draws, and what metrics resize.
            size = (image.height, image.width)
            inverse = F.interpolate(1 / prediction.depth_m, size, mode="bilinear")
            depth_m = (scale / inverse)[0, 0].cpu().numpy()
        if prediction.offsets_px is not None:
            offsets_px = prediction.offsets_px[0].cpu().numpy()
            small = cluster(offsets_px, self._optics).map
            instances = resize_nearest(small, image.height, image.width)
        return Seen(depth_m=depth_m, offsets_px=offsets_px, instances=instances)

    def look_at_batch(self, images: NDArray[np.uint8], scale: float = 1.0) -> dict[str, Any]:
        """Predicts images of one size.

        Args:
            images: (B, H, W, 3) uint8, RGB.
            scale: factor of depth; finite, and above 0.

        Returns:
            `depth_m` (B, H, W) float32 and `instances` (B, H, W) int32, 0 for background and 1..n:
            those of the two that the network has learned.

        Raises:
            ValueError: the images are something else, or the scale is.
        """
        _expect_images(images)
        if not 0 < scale < float("inf"):
            raise ValueError(f"scale: expected a positive number, found {scale}")
        parts: dict[str, list[NDArray[Any]]] = {}
        for one in images:
            seen = self.look(Image.fromarray(one), scale)
            for name, found in _maps(seen):
                parts.setdefault(name, []).append(found)
        return {name: np.stack(found) for name, found in parts.items()}


def _maps(seen: Seen) -> Iterator[tuple[str, NDArray[Any]]]:
    if seen.depth_m is not None:
        yield "depth_m", seen.depth_m.astype(np.float32)
    if seen.instances is not None:
        yield "instances", seen.instances.astype(np.int32)


def _expect_images(images: NDArray[Any]) -> None:
    is_batch = images.ndim == 4 and images.shape[-1] == 3 and images.size > 0
    if images.dtype != np.uint8 or not is_batch:
        raise ValueError(
            "images: expected RGB as uint8 (B, H, W, 3), values from 0 to 255, found "
            f"{images.dtype} {images.shape}"
        )
