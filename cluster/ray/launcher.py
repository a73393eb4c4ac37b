"""What Ray's launcher does on every machine: the commands, as it wants them, are for a shell.

Ray asks whoever comes for its token. The launcher carries the token's file to each machine; what is
in it is in no command and in no rendered file.
"""

from __future__ import annotations

import shlex
from typing import Any

from cluster.drive import STOPPING

PORT = 6379
TOKEN = "~/.ray/auth_token"
"""Where Ray itself keeps its token, here and on each machine."""
_WORKER = f'--address="$RAY_HEAD_IP:{PORT}"'
_HEAD = f"--head --port={PORT} --dashboard-host=127.0.0.1"
_BOOTSTRAP = "--autoscaling-config=~/ray_bootstrap_config.yaml"


def common(cluster_name: str) -> dict[str, Any]:
    """What all files say; lists that are left out would be filled by Ray with its own commands."""
    return {
        "cluster_name": cluster_name,
        "file_mounts": {TOKEN: TOKEN},
        "initialization_commands": [],
        "setup_commands": [],
        "head_setup_commands": [],
        "worker_setup_commands": [],
    }


def start_commands(
    bin_directory: str, head_environment: str = "", *, watches_spot: bool
) -> dict[str, list[str]]:
    """Commands that start Ray.

    Args:
        bin_directory: of the Python environment on the machines.
        head_environment: `NAME=value` words for Ray on the head.
        watches_spot: whether workers look out for their cloud taking them back.
    """
    path = f'export PATH={shlex.quote(bin_directory)}:"$PATH" RAY_AUTH_MODE=token; ulimit -n 65536'
    stop = f"{path}; ray stop"
    options = "--object-manager-port=8076 --disable-usage-stats"
    more = f"export {'='.join(STOPPING)} {head_environment}".rstrip()
    watch = (
        f"{path}; nohup flock -n /tmp/study-spot.lock python -m cluster.spot "
        "</dev/null >>/tmp/study-spot.log 2>&1 &"
    )
    return {
        "head_start_ray_commands": [
            stop,
            f"{path}; {more}; ray start {_HEAD} {options} {_BOOTSTRAP}",
        ],
        "worker_start_ray_commands": [
            stop,
            f"{path}; ray start {_WORKER} {options}",
            *([watch] if watches_spot else []),
        ],
    }
