"""Where something runs: which of Ray's nodes, and what computes."""

from __future__ import annotations

import contextlib
import os
import socket

import ray

from study.trainable import PROCESSES, device_name


def enter(home: str) -> None:
    """Begins what a worker does: where the driver is, with a thread for each core that it was
    given, and a process for each GPU. What is trained goes by the environment from there on.

    Args:
        home: the driver's working directory.
    """
    with contextlib.suppress(OSError):
        os.chdir(home)
    given = ray.get_runtime_context().get_assigned_resources()
    threads = str(max(1, int(given.get("CPU", 1.0))))
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = threads
    os.environ[PROCESSES] = str(max(1, int(given.get("GPU", 0.0))))


def place() -> dict[str, str]:
    """Node and device of this worker, as an epoch tells them."""
    node = ray.get_runtime_context().get_node_id()[:8]
    return {"node": f"{socket.gethostname()}-{node}", "device": device_name()}
