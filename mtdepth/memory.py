"""How much memory a process takes, and a GPU has."""

from __future__ import annotations

import resource
import sys


def peak_memory_bytes() -> int:
    """The most memory that this process has held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_free_bytes() -> int:
    """What is free of the GPU that has least of those that this process sees; 0 where it sees none.

    It is what other processes leave, and this one, which holds a CUDA context to ask.
    """
    import torch

    sizes = [torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count())]
    return min(sizes, default=0)
