"""Ray, started or joined for one study, and kept quiet."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
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
    _keep_keys_here()
    started = not ray.is_initialized()
    if started:
        _start(address or os.environ.get("RAY_ADDRESS") or "local", resources)
    try:
        yield
    finally:
        if started:
            ray.shutdown()


def _keep_keys_here() -> None:
    """Keeps Ray Tune from sending this process's keys of a store to the workers: they would be in a
    runtime environment, which Ray writes to logs and shows on its dashboard."""
    from ray.tune.execution.class_cache import ENV_VARS_TO_PROPAGATE

    for name in [name for name in ENV_VARS_TO_PROPAGATE if name.startswith("AWS_")]:
        ENV_VARS_TO_PROPAGATE.discard(name)


def worker_env(resources: Resources) -> dict[str, str]:
    """Environment of the workers; `study.place.enter` sees to arms with cores of their own."""
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
