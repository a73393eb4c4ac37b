"""Pictures of what the network sees and says. Images are (H, W, 3) uint8 throughout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]

GOLDEN_RATIO = 0.6180339887498949
PAPER, INK = (250, 250, 248), (60, 60, 64)
DEPTH_COLOURS, ERROR_COLOURS = "magma", "RdBu_r"
"""Colour maps, by their names in matplotlib."""
UNKNOWN = 40
"""Grey of pixels of which nothing is known."""
GAP, CAPTION = 6, 20
"""Pixels between pictures, and above a column for its caption."""


def draw_depth(depth_m: NDArray[np.floating], near_m: float, far_m: float) -> Picture:
    """Depth (H, W) in metres as colour: bright is near, steps are even in inverse depth.

    Pixels without depth (0, or NaN) are dark grey.
    """
    from matplotlib import colormaps

    known = depth_m > 0
    disparity = 1 / np.where(known, depth_m, far_m)
    share = (disparity - 1 / far_m) / (1 / near_m - 1 / far_m)
    colors = (255 * colormaps[DEPTH_COLOURS](np.clip(share, 0, 1))[..., :3]).astype(np.uint8)
    colors[~known] = UNKNOWN
    return colors


def draw_depth_error(
    predicted_m: NDArray[np.floating], true_m: NDArray[np.floating], full: float
) -> Picture:
    """The error of depth (H, W) relative to the truth as colour: blue is too near, red too far.

    Args:
        predicted_m: metres, scaled as they are to be judged.
        true_m: metres, 0 where unknown, which is dark grey.
        full: the error of the fullest colour; white is none.
    """
    from matplotlib import colormaps

    known = true_m > 0
    error = (predicted_m - true_m) / np.where(known, true_m, 1)
    share = np.clip(0.5 + error / (2 * full), 0, 1)
    colors = (255 * colormaps[ERROR_COLOURS](share)[..., :3]).astype(np.uint8)
    colors[~known] = UNKNOWN
    return colors


def depth_range(depth_m: NDArray[np.floating]) -> tuple[float, float]:
    """Near and far ends of the colours that suit a depth map: all but its outer 2 %."""
    known = depth_m[depth_m > 0]
    if not known.size:
        return 1.0, 2.0
    near, far = np.percentile(known, [2, 98]).tolist()
    return near, max(far, near * 1.01)


def draw_offsets(offsets_px: NDArray[np.floating], longest_px: float | None = None) -> Picture:
    """Offsets (2, H, W) in pixels as colour: hue is direction, white is no offset.

    Args:
        offsets_px: (x, y) a pixel.
        longest_px: length of the fullest colour; left out, that of the longest of 98 %, but
            at least a twentieth of the width, so that noise stays pale.
    """
    from matplotlib.colors import hsv_to_rgb

    x, y = offsets_px
    length = np.hypot(x, y)
    full = longest_px or max(float(np.percentile(length, 98)), length.shape[1] / 20)
    hue = np.arctan2(y, x) / (2 * np.pi) % 1
    saturation = np.clip(length / full, 0, 1)
    colors = hsv_to_rgb(np.stack([hue, saturation, np.full_like(hue, 0.96)], axis=-1))
    return (255 * colors).astype(np.uint8)


def draw_instances(instances: NDArray[np.integer], image: Picture) -> Picture:
    """Objects of an instance map (H, W), 0 for background, tinted and outlined over an image."""
    grey = image.mean(axis=2, keepdims=True)
    drawn = 0.55 * image + 0.2 * grey + 0.25 * 255 * 0.4
    labels = np.setdiff1d(instances, [0])
    for number, label in enumerate(labels.tolist()):
        mask = instances == label
        color = _distinct_color(number)
        drawn[mask] = 0.35 * image[mask] + 0.65 * color
        drawn[mask & ~_inner(mask)] = 0.25 * color + 0.75 * 255
    return drawn.clip(0, 255).astype(np.uint8)


def montage(
    columns: Sequence[tuple[str, Sequence[Picture]]], width: int, columns_a_row: int | None = None
) -> Image.Image:
    """A grid of pictures with a caption above each column.

    Args:
        columns: captions, and as many pictures each, from top to bottom; all of one shape, as the
            first is shaped.
        width: of a picture, in pixels; its height follows.
        columns_a_row: after so many, further columns begin below; left out, all stand abreast.
    """
    first = columns[0][1][0]
    height = round(width * first.shape[0] / first.shape[1])
    abreast = columns_a_row or len(columns)
    block = CAPTION + len(columns[0][1]) * (height + GAP)
    num_blocks = -(-len(columns) // abreast)
    size = (GAP + min(abreast, len(columns)) * (width + GAP), GAP + num_blocks * block)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=13)
    for column, (caption, pictures) in enumerate(columns):
        left = GAP + column % abreast * (width + GAP)
        top = GAP + column // abreast * block
        draw.text((left, top - 2), caption, fill=INK, font=font)
        for row, picture in enumerate(pictures):
            scaled = Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC)
            sheet.paste(scaled, (left, top + CAPTION + row * (height + GAP)))
    return sheet


def _distinct_color(number: int) -> NDArray[np.float64]:
    """A bright colour; the hues of neighbouring numbers lie far apart."""
    from matplotlib.colors import hsv_to_rgb

    hue = (0.55 + number * GOLDEN_RATIO) % 1
    color: NDArray[np.float64] = 255 * hsv_to_rgb((hue, 0.75, 0.95))
    return color


def _inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels whose four neighbours are in the mask too."""
    padded = np.pad(mask, 1)
    sides = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    inner: NDArray[np.bool_] = np.logical_and.reduce(sides)
    return inner
