"""A RayCluster that stays, or a RayJob whose cluster goes with its study; and who may call them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from cluster import drive
from cluster.site import Directory, Image, LabelKey, LabelValue, Name, Quantity, Site

STUDIES, DATA = "/studies", "/data"
"""Where claims are mounted."""
USER_ID = 1000
_LABEL = "app.kubernetes.io/instance"
_OPERATOR = {"app.kubernetes.io/name": "kuberay-operator"}
_SECONDS_TO_GO = 60
_SECONDS_KEPT = 600
"""How long a finished job's cluster stays, for its logs to be read."""


class KubernetesSite(Site):
    """What a site says of its Kubernetes."""

    name: Name
    """Name of the cluster or job."""
    namespace: Name
    """Namespace, which has to be there."""
    image: Image
    """Container image of the project, where nodes can pull it from; see Containerfile."""
    studies_claim: Name
    """PersistentVolumeClaim for studies, mounted on the head at /studies."""
    data_claim: Name | None = None
    """PersistentVolumeClaim of the data, mounted on workers at /data to read; they may lie in an
    object store instead."""
    secret: Name | None = None
    """Secret whose keys become environment variables of all pods, such as MLFLOW_TRACKING_URI,
    MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."""
    num_workers: Annotated[int, Field(ge=1, le=1000)] = 2
    """Workers."""
    worker_gpus: Annotated[int, Field(ge=0, le=64)] = 1
    """GPUs of a worker."""
    worker_cpus: Annotated[int, Field(ge=1, le=1024)] = 8
    """CPUs of a worker."""
    worker_memory: Quantity = "32Gi"
    """Memory of a worker."""
    worker_selector: dict[LabelKey, LabelValue] | None = None
    """Labels of the Kubernetes nodes that workers go to, such as
    {eks.amazonaws.com/capacityType: SPOT}."""
    head_memory: Quantity = "8Gi"
    """Memory of the head, where the study's driver runs, and no training."""


def manifests(
    site: KubernetesSite, study: str | None = None, arguments: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The documents to apply.

    Args:
        site: what the site says.
        study: directory of a study, for a RayJob.
        arguments: of that study.

    Raises:
        ValueError: the study cannot be run by these words.
    """
    if study is None:
        if arguments:
            raise ValueError("expected --study DIR with arguments of a study, found none")
        # port-forward reaches loopback, and nothing else calls a cluster that has no job
        body = {"kind": "RayCluster", "spec": _cluster(site, dashboard_host="127.0.0.1")}
    else:
        body = {"kind": "RayJob", "spec": _job(site, Path(study), arguments)}
    return [{"apiVersion": "ray.io/v1", "metadata": _metadata(site), **body}, _fence(site)]


def _job(site: KubernetesSite, study: Path, arguments: Sequence[str]) -> dict[str, Any]:
    drive.check(study, arguments)
    told = ["python", "-m", "cluster.drive", str(study), "--nodes", str(site.num_workers + 1)]
    return {
        "entrypoint": shlex.join([*told, "--", *arguments]),
        "shutdownAfterJobFinishes": True,
        "ttlSecondsAfterFinished": _SECONDS_KEPT,
        "backoffLimit": 1,  # a head that was lost: the study goes on where it was
        "rayClusterSpec": _cluster(site, dashboard_host="0.0.0.0"),  # the operator asks it
    }


def _metadata(site: KubernetesSite) -> dict[str, Any]:
    return {"name": site.name, "namespace": site.namespace}


def _cluster(site: KubernetesSite, dashboard_host: str) -> dict[str, Any]:
    head = _pod(site, "ray-head", cpus=2, memory=site.head_memory)
    name, value = drive.STOPPING
    head["spec"]["containers"][0]["env"] = [{"name": name, "value": value}]
    head["spec"]["containers"][0]["ports"] = [
        {"name": "gcs", "containerPort": 6379},
        {"name": "dashboard", "containerPort": 8265},
    ]
    _mount(head, "studies", site.studies_claim, STUDIES, read_only=False)
    return {
        "rayVersion": version("ray"),
        "authOptions": {"mode": "token"},  # the operator makes the token, and hands it to all pods
        "headGroupSpec": {
            "rayStartParams": {"num-cpus": "0", "dashboard-host": dashboard_host},
            "template": head,
        },
        "workerGroupSpecs": [
            {
                "groupName": "workers",
                **dict.fromkeys(("replicas", "minReplicas", "maxReplicas"), site.num_workers),
                "rayStartParams": {},
                "template": _worker(site),
            }
        ],
    }


def _worker(site: KubernetesSite) -> dict[str, Any]:
    made = _pod(site, "ray-worker", site.worker_cpus, site.worker_memory, site.worker_gpus)
    going = {"exec": {"command": ["python", "-m", "cluster.spot", "--now"]}}
    made["spec"]["containers"][0]["lifecycle"] = {"preStop": going}
    made["spec"]["terminationGracePeriodSeconds"] = _SECONDS_TO_GO
    if site.worker_selector:
        made["spec"]["nodeSelector"] = dict(site.worker_selector)
    if site.worker_gpus:
        made["spec"]["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    if site.data_claim:
        _mount(made, "data", site.data_claim, DATA, read_only=True)
    return made


def _pod(site: KubernetesSite, name: str, cpus: int, memory: str, gpus: int = 0) -> dict[str, Any]:
    amounts = {"cpu": str(cpus), "memory": memory} | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    container = {
        "name": name,
        "image": site.image,
        "resources": {"requests": amounts, "limits": dict(amounts)},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        **({"envFrom": [{"secretRef": {"name": site.secret}}]} if site.secret else {}),
    }
    return {
        "metadata": {"labels": {_LABEL: site.name}},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER_ID,
                "fsGroup": USER_ID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }


def _mount(pod: dict[str, Any], name: str, claim: str, path: Directory, *, read_only: bool) -> None:
    spec = pod["spec"]
    source = {"claimName": claim, "readOnly": read_only}
    spec.setdefault("volumes", []).append({"name": name, "persistentVolumeClaim": source})
    mount = {"name": name, "mountPath": path, "readOnly": read_only}
    spec["containers"][0].setdefault("volumeMounts", []).append(mount)


def _fence(site: KubernetesSite) -> dict[str, Any]:
    """Pods of the same namespace may call, as the job's submitter does, and the operator."""
    operator = {"namespaceSelector": {}, "podSelector": {"matchLabels": _OPERATOR}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(site),
        "spec": {
            "podSelector": {"matchLabels": {_LABEL: site.name}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {}}, operator]}],
        },
    }
