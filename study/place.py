"""Where something runs: which of Ray's nodes, and what computes."""

from __future__ import annotations

import socket

import ray

from study.trainable import device_name


def place() -> dict[str, str]:
    """Node and device of this worker, as an epoch tells them."""
    node = ray.get_runtime_context().get_node_id()[:8]
    return {"node": f"{socket.gethostname()}-{node}", "device": device_name()}
