"""`ray up` on machines of one's own, which are reached by ssh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import model_validator

from cluster.ray.launcher import common, start_commands
from cluster.site import Directory, Host, KeyFile, Name, Site, User

PROJECT = Path(__file__).parents[2]
_LEFT_HERE = [
    *(f"/{name}" for name in (".git", ".venv", "shared", "data", "studies")),
    *(f"/{name}" for name in ("mlruns", "mlartifacts", "mlflow.db*")),
    "__pycache__",
]
"""Patterns of rsync's: those with a / are of the project's own directory alone."""
_PYTHON = "python3"
_FOUND = r'echo "export PATH=\"\$PATH:{}/bin\""'
"""For `ray down`, whose `ray stop` would find no Ray; last, so that nothing else is hidden."""
_AUTOSCALER = "RAY_enable_autoscaler_v2=0"
"""The second one takes the head for a worker, as both are of one type, and starts one too few."""


class MachinesSite(Site):
    """What a site says of its machines."""

    cluster_name: Name
    """Name of the cluster."""
    head: Host
    """Machine where the study's driver runs, by a name or address that all the others reach."""
    workers: tuple[Host, ...]
    """The other machines, a list."""
    user: User
    """User on each of them, who may log in with the key."""
    key: KeyFile
    """File of the private ssh key, here; it is copied to the head, which starts the others."""
    directory: Directory
    """Where the project is put on each machine: on a disk of its own, with 10 GB to spare."""

    @model_validator(mode="after")
    def _each_once(self) -> MachinesSite:
        told = [self.head, *self.workers]
        if len(set(told)) < len(told):
            raise ValueError(f"workers: expected each machine once, found {', '.join(told)}")
        return self


def machines(site: MachinesSite) -> dict[str, Any]:
    """The launcher's file."""
    home, made = site.directory, f"{site.directory}/.venv"
    shared = common(site.cluster_name)
    return {
        **shared,
        "max_workers": len(site.workers),
        "provider": {"type": "local", "head_ip": site.head, "worker_ips": list(site.workers)},
        "auth": {"ssh_user": site.user, "ssh_private_key": site.key},
        "file_mounts": {**shared["file_mounts"], home: str(PROJECT)},
        "rsync_exclude": _LEFT_HERE,
        "setup_commands": [
            f"test -x {made}/bin/python || {_PYTHON} -m venv {made}",
            f"cd {home} && .venv/bin/python -m pip install --quiet --disable-pip-version-check "
            "-c constraints.txt -e '.[cluster,gradients]'",
            f"grep -qsF {made}/bin ~/.bashrc || {_FOUND.format(made)} >>~/.bashrc",
        ],
        **start_commands(f"{made}/bin", _AUTOSCALER, watches_spot=False),
    }
