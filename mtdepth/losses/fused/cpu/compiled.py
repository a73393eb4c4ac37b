"""How the loops here are compiled, and how many threads share them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]

Loop = TypeVar("Loop", bound=Callable[..., object])
ROUNDED_ONCE = {"contract", "arcp", "nsz"}
"""Liberties in rounding that leave NaN, infinity and the order of sums what they are."""


def compiled(loop: Loop) -> Loop:
    """Without Python's lock, and with division by zero as in NumPy."""
    return _compiled(loop, ROUNDED_ONCE)


def compiled_sums(loop: Loop) -> Loop:
    """The same for a loop whose sums may be of any order, as vectors add them."""
    return _compiled(loop, ROUNDED_ONCE | {"reassoc"})


def _compiled(loop: Loop, fastmath: set[str]) -> Loop:
    """A loop that calls another has it inside. Called from outside, the other as it was compiled
    alone, and so rounded otherwise, would run where both were just compiled, but not where they
    were read from the cache."""
    options = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy"}
    made = njit(fastmath=fastmath, **options)(loop)
    return cast(Loop, made)


def shared(loop: Callable[[int, int], None], num: int) -> None:
    """Calls `loop` on ranges that cover 0 to `num`, each by one of the threads torch may use."""
    num_threads = min(torch.get_num_threads(), num)
    if num_threads <= 1:
        loop(0, num)
        return
    ends = [num * i // num_threads for i in range(num_threads + 1)]
    with ThreadPoolExecutor(num_threads - 1, thread_name_prefix="fused") as threads:
        others = threads.map(loop, ends[1:-1], ends[2:])
        loop(0, ends[1])
        list(others)
