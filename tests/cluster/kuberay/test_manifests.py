"""Manifests are what KubeRay's and Kubernetes' own schemas take, to the last field."""

from __future__ import annotations

import copy
import gzip
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.kuberay.manifests import KubernetesSite, manifests
from tests.cluster.sites import SITES, documents

CRDS = json.loads(gzip.decompress((Path(__file__).parent / "crds-1.6.2.json.gz").read_bytes()))
KUBERNETES = "1.34"
STUDY = {"study": "/studies/weighting", "arguments": ["--space", "weighting.yaml"]}


def strict(schema: Any) -> Any:
    """The schema, in which an object has the fields that are named, and no others."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    is_open = made.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in made
    if isinstance(made.get("properties"), dict) and "type" in made and not is_open:
        made["additionalProperties"] = False
    return made


def check(document: dict[str, Any]) -> None:
    """Refuses what the cluster would refuse, or drop silently."""
    schema = copy.deepcopy(CRDS[document["kind"]])
    schema["properties"]["metadata"] = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "namespace": {"type": "string"}},
    }
    jsonschema.validate(document, strict(schema), jsonschema.Draft202012Validator)


def cluster_of(document: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = document["spec"]
    return spec.get("rayClusterSpec", spec)


@pytest.fixture(params=[None, STUDY], ids=["RayCluster", "RayJob"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = documents("kubernetes", tmp_path, request.param)
    assert found[0]["kind"] == ("RayJob" if request.param else "RayCluster")
    return found


def test_kuberay_takes_it(made: list[dict[str, Any]]) -> None:
    check(made[0])


def test_kubernetes_takes_the_fence(made: list[dict[str, Any]]) -> None:
    kubernetes_validate.validate(made[1], KUBERNETES, strict=True)
    ours = made[1]["spec"]["podSelector"]["matchLabels"].items()
    cluster = cluster_of(made[0])
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert ours <= group["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize(
    "path", [[], ["spec"], ["spec", "headGroupSpec", "template", "spec", "containers", 0]]
)
def test_a_field_that_kuberay_does_not_know_is_found(path: list[Any], tmp_path: Path) -> None:
    document = documents("kubernetes", tmp_path)[0]
    place = document
    for step in path:
        place = place[step]
    place["imgae"] = "x"
    with pytest.raises(jsonschema.ValidationError, match="imgae"):
        check(document)


def test_a_small_site_is_taken_too(tmp_path: Path) -> None:
    told = {"data_claim": None, "secret": None, "worker_selector": None, "worker_gpus": 0}
    document = documents("kubernetes", tmp_path, STUDY, **told)[0]
    check(document)
    assert "nvidia" not in json.dumps(document)


def test_a_token_is_asked_for_and_pods_are_nobodys_root(made: list[dict[str, Any]]) -> None:
    cluster = cluster_of(made[0])
    assert cluster["authOptions"] == {"mode": "token"}
    host = cluster["headGroupSpec"]["rayStartParams"]["dashboard-host"]
    assert host == ("0.0.0.0" if made[0]["kind"] == "RayJob" else "127.0.0.1")
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "tracking"}}]


def test_a_worker_that_goes_tells_ray_first(made: list[dict[str, Any]]) -> None:
    (workers,) = cluster_of(made[0])["workerGroupSpecs"]
    told = workers["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert told == ["python", "-m", "cluster.spot", "--now"]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
def test_an_argument_arrives_as_one_through_both_shells(argument: str) -> None:
    site = KubernetesSite.model_validate(SITES["kubernetes"])
    arguments = ["--space", "weighting.yaml", "--set", f"question={argument}; $(id) 'x"]
    document = manifests(site, "/studies/a b", arguments)[0]
    # KubeRay puts it into a shell of its submitter, and Ray what comes of that into one of the head
    there = shlex.split(document["spec"]["entrypoint"])
    assert shlex.split(shlex.join(there))[-5:] == ["--", *arguments]
    assert there[:4] == ["python", "-m", "cluster.drive", "/studies/a b"]


def test_a_shell_agrees() -> None:
    site = KubernetesSite.model_validate(SITES["kubernetes"])
    arguments = ["--space", "weighting.yaml", "--set", "question=a; $(id) `id` 'x' \"y\"\n*"]
    entrypoint = manifests(site, "/studies/a", arguments)[0]["spec"]["entrypoint"]
    say = "import sys; sys.stdout.write('\\0'.join(sys.argv[1:]))"
    echo = f'python() {{ {shlex.quote(sys.executable)} -c {shlex.quote(say)} "$@"; }}'
    said = subprocess.run(["bash", "-c", f"{echo}; {entrypoint}"], capture_output=True, check=True)
    assert said.stdout.decode().split("\0")[-4:] == arguments


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"arguments": ["--space", "x"]}, "expected --study DIR with arguments of a study"),
        ({"study": "a", "arguments": ["--space", "x"]}, "DIR: expected an absolute path"),
        ({"study": "/a", "arguments": []}, "expected -- --space FILE"),
        ({"study": "/a", "arguments": ["--space=x", "--out=/b"]}, "--out: expected DIR and"),
    ],
)
def test_a_study_that_cannot_be_run_is_refused(
    told: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=expected):
        documents("kubernetes", tmp_path, told)
