"""Why driveworld is a renderer of our own: a world is made on first use, on a laptop's cores, so
that a frame of 640x192 (colour, depth and instances) should cost no more than a tenth of a second.

Run by hand: `pytest -m slow -s tests/benchmarks`. The ratio is what counts, not the seconds: how
many plain passes of NumPy over a picture of that size a frame costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mtdepth.data.driveworld import DriveworldConfig, render_drive
from mtdepth.data.driveworld.writer import write_drive

WORLD = DriveworldConfig(width=640, height=192, lidar=False)
DRIVES = (0, 1, 40)
PASSES = 300
MOST_PASSES_A_FRAME = 600
"""Where a pass takes 0.27 ms, 300 of them are 12 frames a second, and 370 are ten."""


def seconds(work: Callable[[], object]) -> float:
    """Of this process's core, whatever else the machine does."""
    started = time.process_time()
    work()
    return time.process_time() - started


def passes() -> None:
    """A product, a sum and a root for each value of a picture, again and again."""
    x = np.linspace(0, 1, WORLD.height * WORLD.width * 3, dtype=np.float32)
    out = np.empty_like(x)
    for _ in range(PASSES):
        np.multiply(x, x, out=out)
        np.add(out, x, out=out)
        np.sqrt(out, out=out)


def render(drive: int) -> None:
    for _ in render_drive(WORLD, drive):
        pass


@pytest.mark.slow
def test_a_frame_costs_as_much_as_some_hundred_passes(tmp_path: Path) -> None:
    num_frames = len(DRIVES) * WORLD.num_frames
    a_pass = rendering = writing = 0.0
    for drive in DRIVES:  # in turns, so that a busy machine slows down all three
        a_pass += seconds(passes) / PASSES / len(DRIVES)
        rendering += seconds(partial(render, drive)) / num_frames
        writing += seconds(partial(write_drive, tmp_path, WORLD, drive)) / num_frames
    ratio = rendering / a_pass
    print(
        f"{1 / rendering:.1f} frames a second rendered, {1 / writing:.1f} written as well "
        f"({1 - rendering / writing:.0%} of it writing); {ratio:.0f} passes a frame"
    )
    assert ratio < MOST_PASSES_A_FRAME
