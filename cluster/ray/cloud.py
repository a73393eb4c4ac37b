"""`ray up` on AWS: a head that stays, workers at the spot price, and workers that stay."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from cluster.ray.launcher import common, start_commands
from cluster.site import Image, Name, Site, User, text

STUDIES = "/srv/studies"
"""On the head's own disk, and in its container: outlives the container, not the machine."""
CONTAINER_BIN = "/opt/study/bin"
USER_ID = 1000
"""Of the container's user, and of the first user of a cloud's Ubuntu."""
Count = Annotated[int, Field(ge=0, le=1000)]
InstanceType = Annotated[str, text(r"[a-z0-9-]+\.[a-z0-9-]+", "a type such as g6.xlarge")]
Profile = Annotated[str, text(r"\w[\w.@-]{0,127}", "the name of an instance profile")]


class CloudSite(Site):
    """What a site says of its account."""

    cluster_name: Name
    """Name of the cluster; machines are found by it."""
    region: Annotated[str, text(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region such as eu-west-1")]
    """AWS's name of the region."""
    machine_image: Annotated[str, text(r"ami-[0-9a-f]{8,17}", "the id of an AMI")]
    """AMI of the region: Ubuntu with Docker and, for GPUs, NVIDIA's driver and container
    toolkit."""
    image: Image
    """Container image of the project, where the machines can pull it from; see Containerfile."""
    worker_type: InstanceType
    """Instance type of workers, such as g6.xlarge; Ray asks AWS for its CPUs and GPUs."""
    num_spot: Count = 4
    """Workers at the spot price."""
    num_steady: Count = 0
    """Workers at the full price, which are not taken back."""
    head_type: InstanceType = "m7i.xlarge"
    """Instance type of the head, where the study's driver runs, and no training."""
    disk_gib: Annotated[int, Field(ge=50, le=16000)] = 200
    """Disk of each machine."""
    security_group: Annotated[str, text(r"sg-[0-9a-f]{8,17}", "the id of a group")] | None = None
    """Security group of all machines; left out, Ray makes one that opens port 22 to the world."""
    worker_profile: Profile | None = None
    """Instance profile of workers, by which they may read data in S3; left out, they have none."""
    head_profile: Profile | None = None
    """Instance profile of the head; left out, Ray makes one that may start machines and use S3."""
    ssh_user: User = "ubuntu"
    """User of the AMI."""


def cloud(site: CloudSite) -> dict[str, Any]:
    """The launcher's file."""
    worker = _machine(site, site.worker_type, site.worker_profile)
    spot = {**worker, "InstanceMarketOptions": {"MarketType": "spot"}}
    return {
        **common(site.cluster_name),
        "max_workers": site.num_spot + site.num_steady,
        "provider": {
            "type": "aws",
            "region": site.region,
            "cache_stopped_nodes": False,  # what `ray down` ends costs no disk
        },
        "auth": {"ssh_user": site.ssh_user},
        "docker": {
            "image": site.image,
            "container_name": "study",
            "pull_before_run": True,
            "run_options": ["--ulimit nofile=65536:65536"],
            "head_run_options": [f"--volume {STUDIES}:{STUDIES}"],
        },
        "available_node_types": {
            "head": {
                "resources": {"CPU": 0, "GPU": 0},
                "node_config": _machine(site, site.head_type, site.head_profile),
            },
            "spot": _workers(site.num_spot, spot),
            "steady": _workers(site.num_steady, worker),
        },
        "head_node_type": "head",
        "initialization_commands": [
            f"sudo mkdir -p {STUDIES} && sudo chown {USER_ID}:{USER_ID} {STUDIES}"
        ],
        **start_commands(CONTAINER_BIN, watches_spot=True),
    }


def _workers(count: int, machine: dict[str, Any]) -> dict[str, Any]:
    """So many, always: a study counts its places when it starts. One taken back is replaced."""
    return {
        "resources": {},  # Ray asks AWS
        "node_config": machine,
        "min_workers": count,
        "max_workers": count,
    }


def _machine(site: CloudSite, instance_type: str, profile: str | None) -> dict[str, Any]:
    disk = {"VolumeSize": site.disk_gib, "VolumeType": "gp3", "Encrypted": True}
    return {
        "InstanceType": instance_type,
        "ImageId": site.machine_image,
        "BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": disk}],
        "MetadataOptions": {"HttpTokens": "required"},
        **({"SecurityGroupIds": [site.security_group]} if site.security_group else {}),
        **({"IamInstanceProfile": {"Name": profile}} if profile else {}),
    }
