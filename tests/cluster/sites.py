"""Files of sites, filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cluster.render import render

SITES: dict[str, dict[str, Any]] = {
    "cloud": {
        "cluster_name": "depth",
        "region": "eu-west-1",
        "machine_image": "ami-0123456789abcdef0",
        "image": "registry.example.org:5000/team/study:0.1.0",
        "worker_type": "g6.xlarge",
        "num_spot": 3,
        "num_steady": 1,
        "security_group": "sg-0123456789abcdef0",
        "worker_profile": "reads-data",
    },
    "machines": {
        "cluster_name": "lab",
        "head": "10.0.0.1",
        "workers": ["10.0.0.2", "gpu-3.example.org"],
        "user": "ada",
        "key": "~/.ssh/lab",
        "directory": "/srv/study",
    },
    "kubernetes": {
        "name": "weighting",
        "namespace": "research",
        "image": "registry.example.org/study:0.1.0",
        "studies_claim": "studies",
        "data_claim": "packs",
        "secret": "tracking",
        "worker_selector": {"eks.amazonaws.com/capacityType": "SPOT"},
    },
}


def documents(
    way: str, place: Path, told: dict[str, Any] | None = None, /, **changes: Any
) -> list[Any]:
    """What is rendered of a site's file, read again."""
    file = place / "site.yaml"
    file.write_text(yaml.safe_dump(SITES[way] | changes))
    return list(yaml.safe_load_all(render(way, file, **(told or {}))))
