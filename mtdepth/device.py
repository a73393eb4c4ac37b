"""Where tensors live."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor


def best_device() -> torch.device:
    """The GPU that this process has made its own, if there is one: other threads use no other."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def copied(tensor: Tensor, device: torch.device | str) -> Tensor:
    """The tensor on a device; on a GPU, the program goes on while it is copied."""
    if torch.device(device).type == "cuda" and not tensor.is_cuda:
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def peak_device_memory_bytes() -> int:
    """The most GPU memory that tensors have held since this was last asked; 0 without a GPU."""
    if not torch.cuda.is_initialized():
        return 0
    peak = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return peak


def device_percent() -> float | None:
    """How busy the GPU is right now, in percent; None where that can't be told."""
    if torch.cuda.is_initialized():
        with contextlib.suppress(Exception):  # the driver's library is missing, or says no
            return float(torch.cuda.utilization())
    return None
