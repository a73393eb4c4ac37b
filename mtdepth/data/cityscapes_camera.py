"""Cityscapes' camera files: `camera/<split>/<city>/<city>_<sequence>_<frame>_camera.json`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class StereoCamera:
    """The left camera of a rectified pair, for images of the published size, 2048x1024."""

    intrinsics: NDArray[np.float64]
    """(3, 3) in pixels. The origin is the top left pixel (csCalibration.pdf, sec. 1), as in
    `mtdepth.geometry`."""
    baseline_m: float
    """Metres between the cameras."""

    def depth_m(self, code: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Metres that the values of a disparity map stand for, 0 where unknown.

        A value p > 0 is a disparity of (p - 1) / 256 pixels, 0 an invalid one (README of
        cityscapesScripts). A disparity of 0 is infinitely far, and unknown here.
        """
        disparity_px = (code.astype(np.float32) - 1) / 256
        depth_m = np.zeros(code.shape, np.float32)
        product = np.float32(self.baseline_m * self.intrinsics[0, 0])
        return np.divide(product, disparity_px, out=depth_m, where=code > 1)


def read_camera(path: Path) -> StereoCamera:
    """A camera file.

    Raises:
        ValueError: it is no JSON, or a number is missing or makes no camera.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except ValueError as error:
        raise ValueError(
            f"{path}: expected Cityscapes' camera file, found no JSON: {error}"
        ) from None
    fx, fy = (_number(told, path, "intrinsic", key, positive=True) for key in ("fx", "fy"))
    u0, v0 = (_number(told, path, "intrinsic", key) for key in ("u0", "v0"))
    return StereoCamera(
        intrinsics=np.array([[fx, 0, u0], [0, fy, v0], [0, 0, 1]]),
        baseline_m=_number(told, path, "extrinsic", "baseline", positive=True),
    )


def _number(told: object, path: Path, group: str, key: str, *, positive: bool = False) -> float:
    """One number of a group."""
    numbers = told.get(group) if isinstance(told, dict) else None
    found = numbers.get(key) if isinstance(numbers, dict) else None
    if isinstance(found, int | float) and math.isfinite(found) and (found > 0 or not positive):
        return float(found)
    kind = "a positive number" if positive else "a number"
    text = "none" if found is None else json.dumps(found)
    raise ValueError(f"{path}: expected {kind} {group}.{key}, found {text}")
