"""The parts of a manifest."""

from __future__ import annotations

from typing import Literal

from mtdepth.config import Config, DepthTruth
from mtdepth.metrics.names import Split, Truth

Codec = Literal["raw", "jpeg"]


class PackSettings(Config):
    """What of a pack can be chosen."""

    name: str
    """`DataConfig.name` of the data set."""
    world: str | None
    """Fingerprint of the driveworld, if it is one."""
    split: str
    """Name under `splits`."""
    height: int
    """Rows of an image."""
    width: int
    """Columns of an image."""
    codec: Codec
    """How frames are kept: `raw` pixels, or `jpeg`."""


class LeftOut(Config):
    """What of one drive is not in the pack, though the lists name it."""

    drive: str
    """`<date>/<date>_drive_NNNN_sync`."""
    num_samples: dict[Split, int]
    """Listed samples that are left out."""
    reason: str
    """What is missing or broken of it."""

    def __str__(self) -> str:
        return f"{self.drive}: {self.reason}"


class SplitEntry(Config):
    """One split of a pack."""

    num_samples: int
    """Lines of its list."""
    digest: str
    """Of its list."""
    truth: dict[DepthTruth, Truth]
    """What it can be judged against, by what counts as true depth."""
    unlabelled: str | None
    """Why the task 'instances' can't be learned from it; None where it can."""


class ShardEntry(Config):
    """One Arrow file of a pack."""

    file: str
    """Its name."""
    num_frames: int
    """Its rows."""
    num_bytes: int
    """Its size."""
    digest: str
    """Of its content: the digests of all cells."""
    checksum: str
    """Of its bytes."""
    request: str
    """Of what it was made from: frames, and the sizes of their files."""
