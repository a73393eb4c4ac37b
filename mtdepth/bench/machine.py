"""What a machine can do at best: how fast it multiplies, and how fast it moves memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch.nn.functional as F

NUM_TRIES = 5


def now(device: torch.device) -> float:
    """Seconds by a clock: that of the core where one thread does all, whatever else the machine
    does; else the wall's, once a GPU has done what it was told to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif torch.get_num_threads() == 1:
        return time.process_time()
    return time.perf_counter()


def seconds(run: Callable[[], object], device: torch.device) -> float:
    """How long something takes."""
    started = now(device)
    run()
    return now(device) - started


def in_turns(
    works: Mapping[str, Callable[[], object]], device: torch.device, num_rounds: int
) -> dict[str, list[float]]:
    """Seconds of each work in each round, in turns, so that a busy machine slows all of them.

    A first round, which warms up, does not count.
    """
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(num_rounds + 1):
        for name, work in works.items():
            taken = seconds(work, device)
            if number:
                found[name].append(taken)
    return found


def flops_a_second(device: torch.device, dtype: torch.dtype) -> float:
    """The greatest rate of multiplications and additions among a matrix product and
    convolutions, forwards."""
    square = torch.randn(2048, 2048, device=device, dtype=dtype)
    rates = [2 * 2048**3 / _best(lambda: square @ square, device)]
    for channels, height, width in ((128, 24, 80), (256, 12, 40)):
        image = torch.randn(4, channels, height, width, device=device, dtype=dtype)
        image = image.contiguous(memory_format=torch.channels_last)
        kernel = torch.randn(channels, channels, 3, 3, device=device, dtype=dtype)
        flops = 2 * 9 * channels * image.numel()
        rates.append(flops / _best(partial(F.conv2d, image, kernel, padding=1), device))
    return max(rates)


def bytes_a_second(device: torch.device) -> float:
    """Bytes read plus bytes written by a copy far larger than caches."""
    source = torch.ones(64 * 2**20, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / _best(lambda: target.copy_(source), device)


def _best(run: Callable[[], object], device: torch.device) -> float:
    return min(in_turns({"": run}, device, NUM_TRIES)[""])
