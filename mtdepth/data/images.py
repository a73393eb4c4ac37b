"""Image files: colours, and maps of whole numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError


def png_or_jpg(path: Path) -> Path | None:
    """A `.png` path, or that of its `.jpg` twin: whichever is a file."""
    for found in (path, path.with_suffix(".jpg")):
        if found.is_file():
            return found
    return None


def read_image(path: Path) -> Image.Image:
    """An RGB image.

    Raises:
        ValueError: the file is truncated, or no image.
    """
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, UnidentifiedImageError) as error:
        raise ValueError(f"{path}: expected a whole image, found: {error}") from None


def read_map(path: Path) -> NDArray[np.uint16]:
    """(H, W) of an 8- or 16-bit grey PNG.

    Raises:
        ValueError: the file is truncated, or no such image.
    """
    try:
        with Image.open(path) as image:
            values = np.asarray(image)
    except (OSError, SyntaxError, UnidentifiedImageError) as error:
        raise ValueError(f"{path}: expected a whole grey PNG, found: {error}") from None
    if values.ndim != 2:
        raise ValueError(f"{path}: expected one channel, found shape {values.shape}")
    return values.astype(np.uint16)


def is_whole(path: Path) -> bool:
    """Whether a png or jpg ends as it should: finds truncated files without decoding them."""
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 64))
        tail = file.read()
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return b"IEND" in tail
    return head.startswith(b"\xff\xd8") and tail.rstrip(b"\x00").endswith(b"\xff\xd9")
