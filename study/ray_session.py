"""Ray, started or joined for one study, and kept quiet."""

from __future__ import annotations

import logging
import math
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import ray

from study.space import Resources

OBJECT_STORE_BYTES = 200_000_000
"""Nothing large goes through it: checkpoints are files, and each worker reads its own images."""
SECONDS_TO_ANSWER = 10.0
_TOKEN = (
    "; if it asks for a token, put that of `ray get-auth-token` on its head into ~/.ray/auth_token "
    "here, and set RAY_AUTH_MODE=token"
)
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # The ledger is what a study goes on from, so that Ray Tune's own state need not be kept.
    "TUNE_GLOBAL_CHECKPOINT_S": "1e9",
    # All workers start at once: the searcher deals no more trials than there is room for. One by
    # one, as otherwise, each that starts is given up when a trial ends and leaves its worker.
    "TUNE_MAX_PENDING_TRIALS_PG": "1000000",
}


@contextmanager
def ray_session(resources: Resources, address: str | None = None) -> Iterator[None]:
    """Ray for the length of a study; one that runs in this process already is used, and left.

    Args:
        resources: what one trial occupies.
        address: of a cluster; left out, that of `RAY_ADDRESS`, or Ray is started on this machine.

    Raises:
        ValueError: there is no cluster at the address.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    for name in ("ray", "ray.tune", "ray.data", "ray.train"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    started = not ray.is_initialized()
    if started:
        _start(address or os.environ.get("RAY_ADDRESS") or "local", resources)
    try:
        yield
    finally:
        if started:
            ray.shutdown()


def worker_env(resources: Resources) -> dict[str, str]:
    """Environment of the workers."""
    threads = str(max(1, int(resources.cpus)))
    return {
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "RAY_CHDIR_TO_TRIAL_DIR": "0",
        # How long a stopped trial may take to leave its process to the next.
        "TUNE_FUNCTION_THREAD_TIMEOUT_S": "60",
    }


def _start(address: str, resources: Resources) -> None:
    local = {"object_store_memory": OBJECT_STORE_BYTES} if address == "local" else {}
    try:
        _knock(address)
        ray.init(
            address=address,
            include_dashboard=False if address == "local" else None,
            logging_level=logging.CRITICAL,
            log_to_driver=False,
            runtime_env={"env_vars": worker_env(resources)},
            **local,
        )
    except (OSError, ValueError, RuntimeError) as error:  # a ConnectionError is an OSError
        hint = _TOKEN if "Failed to connect" in str(error) else ""
        raise ValueError(f"--address: expected a Ray cluster at {address}: {error}{hint}") from None


def _knock(address: str) -> None:
    """Sees that something answers at a host and port, as Ray itself takes minutes to give up.

    Raises:
        OSError: nothing does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS_TO_ANSWER).close()


def room_for(resources: Resources, concurrency: int | None = None) -> int:
    """How many trials run at once in the Ray of this process: no trial spans two nodes.

    Args:
        resources: what one trial occupies.
        concurrency: no more than so many.

    Raises:
        ValueError: there is no room for a single one.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    slots = sum(_room_on(node, resources) for node in nodes)
    found = ray.cluster_resources()
    if slots < 1:
        raise ValueError(
            f"resources: expected room for a trial of {resources.cpus:g} CPUs and "
            f"{resources.num_gpus:g} GPUs, found {found.get('CPU', 0.0):g} CPUs and "
            f"{found.get('GPU', 0.0):g} GPUs in all; lower resources.cpus or resources.gpus"
        )
    return min(slots, concurrency or slots)


def _room_on(node: Mapping[str, float], resources: Resources) -> int:
    room = [node.get("CPU", 0.0) / resources.cpus]
    if resources.num_gpus:
        of_one = max(1, math.floor(1 / resources.num_gpus + 1e-9)) / max(1.0, resources.num_gpus)
        room.append(node.get("GPU", 0.0) * of_one)
    return math.floor(min(room) + 1e-9)
