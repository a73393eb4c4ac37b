"""Cityscapes' own layout, with images small enough to write and numbers to reckon with by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mtdepth.data.splits import Frame

CAMERA = {
    "extrinsic": {
        "baseline": 0.2,
        "pitch": 0.04,
        "roll": 0.0,
        "x": 1.7,
        "y": 0.1,
        "yaw": -0.01,
        "z": 1.2,
    },
    "intrinsic": {"fx": 2260.0, "fy": 2200.0, "u0": 1095.0, "v0": 515.0},
}
"""Of 2048x1024. Baseline times focal length is 452 metres times pixels."""
SMALL = (256, 128)
"""An eighth of the published width and height."""
AACHEN = Frame("train/aachen/aachen_000000", 19)
BONNET = 255
"""Colour of all that lies in the lower quarter of an image."""
KINDS = {"l": "leftImg8bit", "r": "rightImg8bit"}


def path_of(root: Path, folder: str, frame: Frame, ending: str) -> Path:
    """A file of a frame, as `<city>_<sequence>_<frame>_<ending>`; its directory is made."""
    path = root / folder / f"{frame.drive}_{frame.index:06d}_{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_snippet(
    root: Path, frame: Frame = AACHEN, *, size: tuple[int, int] = SMALL, steps: Sequence[int] = (0,)
) -> Frame:
    """An annotated frame with all that belongs to it, and the images so many steps from it."""
    width, height = size
    street = np.random.default_rng(7).integers(0, 250, (8, 32 + 60, 3), np.uint8)
    for step in steps:
        seen = street[:, (start := 30 - 2 * step) : start + 32].repeat(height // 8, 0)
        write_image(root, frame.shifted(step), seen.repeat(width // 32, 1))
    write_camera(root, frame)
    instances = np.full((height, width), 7, np.uint16)  # road
    instances[height // 4 : height // 2, width // 4 : width // 2] = 26000
    write_map(root, frame, "gtFine", instances)
    write_map(root, frame, "disparity", np.full((height, width), 5121, np.uint16))
    return frame


def write_image(
    root: Path, frame: Frame, pixels: NDArray[np.uint8], *, video: str = "_sequence"
) -> Path:
    """An image whose lower quarter is the bonnet; with `video` empty, outside the snippets."""
    pixels = pixels.copy()
    pixels[len(pixels) * 3 // 4 :] = BONNET
    path = path_of(root, f"{KINDS[frame.side]}{video}", frame, f"{KINDS[frame.side]}.png")
    Image.fromarray(pixels).save(path)
    return path


def write_camera(root: Path, frame: Frame, **changed: object) -> Path:
    """The camera file, with some numbers told otherwise (`fx=1`), or not at all (`fx=None`)."""
    told = {
        group: {
            key: changed.get(key, value)
            for key, value in numbers.items()
            if changed.get(key, value) is not None
        }
        for group, numbers in CAMERA.items()
    }
    path = path_of(root, "camera", frame, "camera.json")
    path.write_text(json.dumps(told, indent=4))
    return path


def write_map(root: Path, frame: Frame, folder: str, values: NDArray[np.uint16]) -> Path:
    """A map of `gtFine` (instance ids) or `disparity`, as 16-bit PNG."""
    ending = {"gtFine": "gtFine_instanceIds.png", "disparity": "disparity.png"}[folder]
    path = path_of(root, folder, frame, ending)
    Image.fromarray(values).save(path)
    return path
