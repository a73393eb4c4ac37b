"""The process of a trial: its random state, its threads, its device and its memory."""

from __future__ import annotations

import contextlib
import os
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

PROCESSES = "STUDY_PROCESSES"
"""In a worker's environment: how many GPUs its trial has, each of which wants a process."""


def peak_device_memory_bytes() -> int:
    """The most GPU memory held since this was last asked; 0 where torch was not needed yet."""
    if "torch" not in sys.modules:
        return 0
    from mtdepth.device import peak_device_memory_bytes

    return peak_device_memory_bytes()


def device_percent() -> float | None:
    """How busy the GPU is right now, in percent; None where that can't be told."""
    if "torch" not in sys.modules:
        return None
    from mtdepth.device import device_percent

    return device_percent()


def device_name() -> str:
    """What a training computes on: `cpu`, or the GPU's name, and how many of them."""
    torch, num = sys.modules.get("torch"), num_processes()
    if torch is None or not torch.cuda.is_available():
        return "cpu"
    return f"{num} x {torch.cuda.get_device_name()}" if num > 1 else torch.cuda.get_device_name()


@contextlib.contextmanager
def random_state_kept() -> Iterator[None]:
    """Puts random numbers back to where a training left them, whatever is done meanwhile."""
    plain, arrays = random.getstate(), np.random.get_state()  # noqa: NPY002  # the global one
    torch = sys.modules.get("torch")
    forked: Any = contextlib.nullcontext()
    if torch is not None:
        used = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
        forked = torch.random.fork_rng(devices=used)
    try:
        with forked:
            yield
    finally:
        random.setstate(plain)
        np.random.set_state(arrays)  # noqa: NPY002


def num_processes() -> int:
    """How many processes a training is to have."""
    return int(os.environ.get(PROCESSES, "1"))


def use_threads() -> None:
    """Lets torch use the cores that the trial was given, and no more."""
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
