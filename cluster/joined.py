"""`python -m cluster.joined ADDRESS NODES SECONDS`: waits until so many nodes have joined.

A study counts its places when it starts: nodes that join later are not used by it.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import time
from collections.abc import Sequence

import ray

from cluster.command_line import run

SECONDS_BETWEEN_LOOKS = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m cluster.joined", allow_abbrev=False)
    parser.set_defaults(run=wait)
    parser.add_argument("address", help="of the cluster, or auto")
    parser.add_argument("num_nodes", type=int, help="how many, the head included")
    parser.add_argument("patience_s", type=float, help="how long to wait for them")
    return run(parser, arguments)


def wait(address: str, num_nodes: int, patience_s: float) -> int:
    """Waits for the nodes.

    Raises:
        ValueError: they have not joined in time.
    """
    deadline = time.monotonic() + patience_s
    joined = 0
    try:
        while time.monotonic() < deadline:
            with contextlib.suppress(ConnectionError):
                if not ray.is_initialized():
                    ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
                joined = sum(node["Alive"] for node in ray.nodes())
                if joined >= num_nodes:
                    return 0
            time.sleep(SECONDS_BETWEEN_LOOKS)
    finally:
        ray.shutdown()
    raise ValueError(f"expected {num_nodes} nodes within {patience_s:g} s, found {joined}")


if __name__ == "__main__":
    sys.exit(main())
