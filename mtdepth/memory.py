"""How much memory a process takes, and a GPU has."""

from __future__ import annotations

import resource
import sys


def peak_memory_bytes() -> int:
    """The most memory that this process has held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_total_bytes() -> int:
    """Memory of the smallest GPU that this process sees; 0 where it sees none."""
    import torch

    sizes = [
        torch.cuda.get_device_properties(index).total_memory
        for index in range(torch.cuda.device_count())
    ]
    return min(sizes, default=0)
