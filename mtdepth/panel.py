"""Pictures of what a checkpoint predicts beside the truth, for some images of a split."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtdepth.checkpoint import load_network
from mtdepth.config import OpticsConfig
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.source import resize_nearest
from mtdepth.figures import (
    DEPTH_COLOURS,
    ERROR_COLOURS,
    Picture,
    depth_range,
    draw_depth,
    draw_depth_error,
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
"""Pixels of a picture in a sheet."""
MAX_ERROR = 0.5
"""Relative error of depth that has the fullest colour."""
AROUND_MEDIAN = 0.3, 5.0
"""Ends of the colours where no depth is known to be true, in medians of the predicted depth."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture, and how to read it."""

    caption: str
    picture: Picture
    colours: str = ""
    """The colour map of `low` to `high`, by its name in matplotlib; none where empty."""
    low: str = ""
    high: str = ""

    @property
    def legend(self) -> dict[str, str]:
        """All but the picture."""
        return {
            "caption": self.caption, "colours": self.colours, "low": self.low, "high": self.high,
        }  # fmt: skip


def write_panels(
    checkpoint: Path,
    split: Split,
    out: Path,
    images: Sequence[str],
    *,
    optics: OpticsConfig | None = None,
) -> None:
    """Draws what a checkpoint predicts for images of a split, and the truth where there is one.

    Files are `<number of the image>-<number of the picture>.png`, both from 0 and in two digits.
    The text chunk `legend` of each holds its caption, and the range of its colours, as JSON. True
    depth decides the range of an image's depth colours, and a prediction is scaled to its median,
    so that the pictures of one image can be compared across checkpoints.

    Args:
        checkpoint: directory of the trained model.
        split: where the images are from.
        out: directory for the files.
        images: names, as `evaluate` gives them.
        optics: how offsets are clustered; left out, as the checkpoint is set to.

    Raises:
        ValueError: the checkpoint or the data is not as it should be, or an image isn't there.
    """
    network, config = load_network(checkpoint)
    data = open_split(config.data, split)
    indices = {str(frame): index for index, frame in enumerate(data.frames)}
    if missing := [image for image in images if image not in indices]:
        raise ValueError(f"expected images of the split {split!r}, found {', '.join(missing)}")
    told = optics or config.optics
    for number, image in enumerate(images):
        for place, panel in enumerate(_panels(network, data, indices[image], told)):
            _save(out / f"{number:02d}-{place:02d}.png", panel)


def write_sheet(checkpoint: Path, split: Split, out: Path, *, num_images: int = 4) -> None:
    """Draws a checkpoint's predictions for a few images of a split, as one picture.

    Args:
        checkpoint: directory of the trained model.
        split: where the images are from.
        out: PNG file.
        num_images: how many, evenly chosen.

    Raises:
        ValueError: the checkpoint or the data is not as it should be.
    """
    network, config = load_network(checkpoint)
    data = open_split(config.data, split)
    rows = np.linspace(0, len(data) - 1, min(num_images, len(data))).round().astype(int)
    drawn = [
        {panel.caption: panel.picture for panel in _panels(network, data, row, config.optics)}
        for row in rows.tolist()
    ]
    captions = [name for name in drawn[0] if all(name in row for row in drawn)]
    columns = [(name, [row[name] for row in drawn]) for name in captions]
    with replacing(out) as path:
        montage(columns, COLUMN_WIDTH).save(path, compress_level=1)  # a third of the time


def _save(path: Path, panel: Panel) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("legend", json.dumps(panel.legend))
    with replacing(path) as temporary:
        Image.fromarray(panel.picture).save(temporary, pnginfo=info)


def _panels(network: Network, data: SplitData, index: int, optics: OpticsConfig) -> list[Panel]:
    """The pictures of one image."""
    loaded = data.batch([index], neighbours=False)
    image = loaded.frames[0, 0].permute(1, 2, 0).numpy()
    prediction, truth = network.predict(loaded.to("cpu").target), data.truth(index)
    height, width = image.shape[:2]
    drawn = [Panel(caption="image", picture=image)]
    if prediction.depth_m is not None:
        true_m = truth.depth_m
        if true_m is not None:
            true_m = shrink_depth(true_m, height, width)
        drawn += _of_depth(prediction.depth_m[0, 0].numpy(), true_m)
    if prediction.offsets_px is not None:
        offsets_px = prediction.offsets_px[0].numpy()
        drawn.append(Panel(caption="predicted offsets", picture=draw_offsets(offsets_px)))
        if truth.instances is not None:
            true = resize_nearest(truth.instances, height, width)
            drawn.append(Panel(caption="true instances", picture=draw_instances(true, image)))
        found = draw_instances(cluster(offsets_px, optics).map, image)
        drawn.append(Panel(caption="predicted instances", picture=found))
    return drawn


def _of_depth(
    predicted_m: NDArray[np.floating], true_m: NDArray[np.floating] | None
) -> list[Panel]:
    """Depth (H, W) in metres as predicted; with the truth and the error where that is known."""
    if true_m is None:
        near, far = AROUND_MEDIAN
        shown = draw_depth(predicted_m / np.median(predicted_m), near, far)
        return [_depth_panel("predicted depth", shown, f"{near:g} medians", f"{far:g} medians")]
    near, far = depth_range(true_m)
    scaled_m = predicted_m * _median_ratio(true_m, predicted_m)
    ends = f"{near:.1f} m", f"{far:.1f} m"
    return [
        _depth_panel("true depth", draw_depth(true_m, near, far), *ends),
        _depth_panel("predicted depth", draw_depth(scaled_m, near, far), *ends),
        Panel(
            caption="depth error",
            picture=draw_depth_error(scaled_m, _counted(true_m), MAX_ERROR),
            colours=ERROR_COLOURS,
            low=f"{MAX_ERROR:.0%} too near",
            high=f"{MAX_ERROR:.0%} too far",
        ),
    ]


def _depth_panel(caption: str, picture: Picture, near: str, far: str) -> Panel:
    return Panel(caption=caption, picture=picture, colours=f"{DEPTH_COLOURS}_r", low=near, high=far)


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


def _counted(true_m: NDArray[np.floating]) -> NDArray[np.floating]:
    """True depth where errors count, 0 elsewhere: sky and beyond don't."""
    return np.where((true_m > 0) & (true_m < MAX_DEPTH_M), true_m, 0)


def _median_ratio(true_m: NDArray[np.floating], predicted_m: NDArray[np.floating]) -> float:
    """What scales a prediction to the truth, where that is known."""
    known = _counted(true_m) > 0
    if not known.any():
        return 1.0
    return float(np.median(true_m[known]) / np.median(predicted_m[known]))
