"""What a Driveworld can be told. Nothing heavy is imported here."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

RENDERER_VERSION = 1
"""Rises with every change of what is written for the same configuration."""

Size = Annotated[int, Field(ge=32, multiple_of=32)]
DriveCount = Annotated[int, Field(ge=0)]


class DriveworldConfig(BaseModel):
    """A procedural street, filmed: how large, how long, how often, and which one."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    width: Size = 192
    """Columns of an image."""
    height: Size = 64
    """Rows of an image."""
    num_train_drives: Annotated[int, Field(ge=1)] = 40
    """Drives of the training split."""
    num_val_drives: DriveCount = 8
    """Drives of the validation split."""
    num_test_drives: DriveCount = 8
    """Drives of the test split."""
    num_frames: Annotated[int, Field(ge=3)] = 12
    """Frames of a drive; all but the first and the last are the middle of a triplet."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Streets, cars, light and texture follow from it. A drive is the same street whatever the
    number of drives."""
    supersampling: Annotated[int, Field(ge=1, le=8)] = 2
    """Rays along each side of a pixel where it holds more than one surface; inside a surface the
    texture itself is filtered to the pixel."""
    fps: Annotated[float, Field(gt=0)] = 10.0
    """Frames a second, as oxts and the timestamps tell it; motion a frame does not depend on it."""
    lidar: bool = True
    """Whether velodyne scans are written."""

    @property
    def num_drives(self) -> int:
        """Drives of all splits together."""
        return self.num_train_drives + self.num_val_drives + self.num_test_drives

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that differ where the files would."""
        told = json.dumps({"renderer": RENDERER_VERSION, **self.model_dump()}, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:12]
