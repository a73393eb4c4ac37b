"""The upper three quarters of Cityscapes' images; the lower quarter shows the bonnet of the car.

Rows that are cut off at the bottom leave the principal point where it was, so that intrinsics and
the size of what is left tell of the crop.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mtdepth.data.images import read_image, read_map

WIDTH, HEIGHT = 2048, 1024
"""Of whole images as published. Copies may be of another size, and must be of the same shape."""


@cache
def whole_size(path: Path) -> tuple[int, int]:
    """Width and height of a whole image, which is not decoded.

    Raises:
        ValueError: it is no image, or of another shape: cropped, perhaps, before.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, SyntaxError, UnidentifiedImageError) as error:
        raise ValueError(f"{path}: expected a whole image, found: {error}") from None
    _check_shape(path, width, height)
    return width, height


def cropped_size(path: Path) -> tuple[int, int]:
    """Width and height of what is left of an image."""
    width, height = whole_size(path)
    return width, height * 3 // 4


def cropped_image(path: Path) -> Image.Image:
    """What is left of an image, RGB."""
    width, height = cropped_size(path)
    return read_image(path).crop((0, 0, width, height))


def cropped_map(path: Path, image: Path) -> NDArray[np.uint16]:
    """(H, W) what is left of a map, at the size of its image by nearest neighbours."""
    values = read_map(path)
    _check_shape(path, *values.shape[::-1])
    if values.shape[::-1] != (size := whole_size(image)):
        values = np.asarray(Image.fromarray(values).resize(size, Image.Resampling.NEAREST))
    return values[: cropped_size(image)[1]]


def _check_shape(path: Path, width: int, height: int) -> None:
    if width != 2 * height:
        raise ValueError(
            f"{path}: expected {WIDTH}x{HEIGHT} pixels, or the whole of them resized to twice as "
            f"many columns as rows, found {width}x{height}"
        )
