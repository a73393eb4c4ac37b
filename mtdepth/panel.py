"""A picture of a checkpoint's predictions beside the truth, for some images of a split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtdepth.checkpoint import load_network
from mtdepth.config import OpticsConfig
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.source import resize_nearest
from mtdepth.figures import (
    Picture,
    depth_range,
    draw_depth,
    draw_instances,
    draw_offsets,
    montage,
)
from mtdepth.files import replacing
from mtdepth.instances.clustering import cluster
from mtdepth.metrics.depth import MAX_DEPTH_M
from mtdepth.metrics.names import Split
from mtdepth.model.network import Network

COLUMN_WIDTH = 320
"""Pixels; images are enlarged or shrunk to it."""


def write_panel(
    checkpoint: Path,
    split: Split,
    out: Path,
    num_images: int = 4,
    *,
    optics: OpticsConfig | None = None,
) -> None:
    """Draws what a checkpoint predicts for images that are evenly spread over a split.

    A row an image; columns for what the network predicts, and for the truth where there is one.

    Args:
        checkpoint: directory of the trained model.
        split: where the images are from.
        out: PNG file.
        num_images: rows.
        optics: how offsets are clustered; left out, as the checkpoint is set to.

    Raises:
        ValueError: the checkpoint or the data is not as it should be.
    """
    network, config = load_network(checkpoint)
    data = open_split(config.data, split)
    rows = np.linspace(0, len(data) - 1, min(num_images, len(data))).round().astype(int)
    told = optics or config.optics
    drawn = [_row(network, data, index, told) for index in rows.tolist()]
    captions = [name for name in drawn[0] if all(name in row for row in drawn)]
    columns = [(name, [row[name] for row in drawn]) for name in captions]
    with replacing(out) as path:
        montage(columns, COLUMN_WIDTH).save(path, compress_level=1)  # a third of the time


def _row(network: Network, data: SplitData, index: int, optics: OpticsConfig) -> dict[str, Picture]:
    """The pictures of one image, by caption."""
    loaded = data.batch([index], neighbours=False)
    image = loaded.frames[0, 0].permute(1, 2, 0).numpy()
    batch = loaded.to("cpu")
    prediction, truth = network.predict(batch.target), data.truth(index)
    height, width = image.shape[:2]
    drawn = {"image": image}
    if prediction.depth_m is not None:
        depth_m, true_m = prediction.depth_m[0, 0].numpy(), truth.depth_m
        if true_m is not None:
            true_m = shrink_depth(true_m, height, width)
            depth_m = depth_m * _median_ratio(true_m, depth_m)
        near_far = depth_range(depth_m if true_m is None else true_m)
        drawn["predicted depth"] = draw_depth(depth_m, *near_far)
        if true_m is not None:
            drawn["true depth"] = draw_depth(true_m, *near_far)
    if prediction.offsets_px is not None:
        offsets_px = prediction.offsets_px[0].numpy()
        found = cluster(offsets_px, optics).map
        drawn["predicted offsets"] = draw_offsets(offsets_px)
        drawn["predicted instances"] = draw_instances(found, image)
        if truth.instances is not None:
            true = resize_nearest(truth.instances, height, width)
            drawn["true instances"] = draw_instances(true, image)
    return drawn


def shrink_depth(depth_m: NDArray[np.floating], height: int, width: int) -> NDArray[np.floating]:
    """(height, width) metres: the nearest depth within each pixel, so that lidar stays visible.

    Args:
        depth_m: (H, W) metres, 0 where unknown; no smaller than asked for.
        height: rows.
        width: columns.
    """
    rows, columns = np.nonzero(depth_m)
    small = np.full((height, width), np.inf, dtype=depth_m.dtype)
    cells = (rows * height // depth_m.shape[0], columns * width // depth_m.shape[1])
    np.minimum.at(small, cells, depth_m[rows, columns])
    small[np.isinf(small)] = 0
    return small


def _median_ratio(true_m: NDArray[np.floating], predicted_m: NDArray[np.floating]) -> float:
    """What scales a prediction to the truth, where that is known; sky and beyond don't count."""
    known = (true_m > 0) & (true_m < MAX_DEPTH_M)
    if not known.any():
        return 1.0
    return float(np.median(true_m[known]) / np.median(predicted_m[known]))
