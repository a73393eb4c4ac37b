"""How images and maps are kept in a pack's cells, and read from them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mtdepth.data.pack.digests import Cell
from mtdepth.instances.targets import NumberedMap

Buffer: TypeAlias = bytes | memoryview
JPEG = {"quality": 95, "subsampling": 0}
"""Pillow's options of the codec `jpeg`. Colours are kept at full resolution (4:4:4): at 4:2:0 a
frame is a third smaller, but single pixels are off by up to 96 of 255 instead of 27."""
MAX_NUMBER = 2**16 - 1
"""Largest value of an instance map: it is kept as 16-bit PNG."""


def encode_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """A JPEG file of (3, H, W) RGB."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(file, "JPEG", **JPEG)
    return file.getvalue()


def decode_jpeg(content: bytes) -> NDArray[np.uint8]:
    """(3, H, W) RGB of a JPEG file."""
    return np.ascontiguousarray(np.asarray(Image.open(io.BytesIO(content))).transpose(2, 0, 1))


def encode_map(values: NDArray[np.integer]) -> bytes:
    """A grey PNG of an (H, W) map: of 16 bits, or of 8 where its type has no more.

    Raises:
        ValueError: a value doesn't fit.
    """
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > MAX_NUMBER:
        raise ValueError(f"expected a map of values from 0 to {MAX_NUMBER}, found {low} to {high}")
    file = io.BytesIO()
    kept = values.astype(np.uint8 if values.dtype.itemsize == 1 else np.uint16)
    Image.fromarray(kept).save(file, "PNG")
    return file.getvalue()


def decode_map(content: bytes) -> NDArray[np.integer]:
    """(H, W) of a grey PNG."""
    return np.asarray(Image.open(io.BytesIO(content)))


def encode_depth(depth_m: NDArray[np.float32]) -> dict[str, Cell]:
    """Where an (H, W) map is not 0, a bit a pixel, and its values there."""
    known = depth_m != 0
    return {
        "height": depth_m.shape[0],
        "width": depth_m.shape[1],
        "known": np.packbits(known).tobytes(),
        "depth_m": depth_m[known].astype("<f4").tobytes(),
    }


def decode_depth(cell: Mapping[str, bytes | int]) -> NDArray[np.float32]:
    """(H, W) metres, 0 where unknown."""
    height, width = int(cell["height"]), int(cell["width"])
    assert isinstance(cell["known"], bytes)
    assert isinstance(cell["depth_m"], bytes)
    known = np.unpackbits(np.frombuffer(cell["known"], np.uint8), count=height * width)
    depth_m = np.zeros(height * width, np.float32)
    depth_m[known.astype(bool)] = np.frombuffer(cell["depth_m"], "<f4")
    return depth_m.reshape(height, width)


def encode_instances(instances: NumberedMap) -> dict[str, Cell]:
    """The numbers, a byte each, or two in little-endian order if there are more than 255 instances;
    and x, y and area of each instance, one after the other."""
    kind = "u1" if instances.numbers.dtype.itemsize == 1 else "<u2"
    return {
        "numbers": instances.numbers.astype(kind).tobytes(),
        "measures": instances.measures.ravel().tolist(),
    }


def decode_instances(
    numbers: Buffer, measures: NDArray[np.float32], height: int, width: int
) -> NumberedMap:
    """The numbered map (height, width), in place."""
    wide = memoryview(numbers).nbytes != height * width
    return NumberedMap(
        numbers=np.frombuffer(numbers, "<u2" if wide else "u1").reshape(height, width),
        measures=measures.reshape(-1, 3),
    )
