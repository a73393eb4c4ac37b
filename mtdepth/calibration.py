"""What `mtdepth.calibrate` finds. Nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What a training costs, on the machine and the cores that it was measured on."""

    start_seconds: float
    """From nothing to the first step: data opened, network built."""
    steps_an_epoch: int
    steps_with_val: int
    """Of an epoch over training and validation split."""
    seconds_a_step: float
    """Median, of images that are in memory."""
    seconds_a_first_step: float
    """Median, of images that are read from disk: those of the first epoch of a process."""
    num_val_images: int
    """That an epoch is judged on."""
    seconds_an_image: float
    """Of being judged."""
    save_seconds: float
    checkpoint_bytes: int
    memory_bytes: int
    """Peak of the process."""
    device_memory_bytes: int
    """Peak of the GPU's memory that PyTorch reserved; 0 where there is none."""
