"""A study of a pack in a store: each node copies it to its own disk, once."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cluster import local
from mtdepth.config import DataConfig
from mtdepth.data.pack.manifest import Manifest
from study.ledger import Ledger
from study.space_loading import space_as_yaml
from tests.cluster.mlflow.conftest import free_port
from tests.mtdepth.data.pack.packs import make, request
from tests.stores import BUCKET, TestStore, running_store
from tests.study.simulated import simulated_space
from tests.study.test_trainable import SLIM

ROOT = Path(__file__).parents[2]
URL = f"s3://{BUCKET}/packs/tiny"
NUM_NODES = 2


@pytest.fixture(scope="module")
def pack(tiny_data: DataConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    out = tmp_path_factory.mktemp("packs") / "tiny"
    return out, make(request(tiny_data, out))


@pytest.fixture(scope="module")
def store(pack: tuple[Path, Manifest]) -> Iterator[TestStore]:
    with running_store() as store:
        store.put(pack[0], "packs/tiny")
        yield store


@pytest.fixture
def environments(
    store: TestStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Mapping[str, str]]:
    """Of processes that are started, as many as there have been; each has a disk of its own."""
    started: list[Mapping[str, str]] = []
    numbers = itertools.count()

    def environment() -> dict[str, str]:
        own = {"PYTHONPATH": str(ROOT), "MTDEPTH_CACHE": str(tmp_path / f"disk-{next(numbers)}")}
        started.append({**os.environ, **store.environment, **own, "RAY_AUTH_MODE": "token"})
        return dict(started[-1])

    monkeypatch.setattr(local, "_environment", environment)
    return started


@pytest.fixture
def address(environments: list[Mapping[str, str]], tmp_path: Path) -> Iterator[str]:
    home = tmp_path / "nodes"
    yield local.up(home, nodes=NUM_NODES, cpus=1, port=free_port())
    local.down(home)


@pytest.mark.slow
def test_each_node_copies_it_once(
    environments: list[Mapping[str, str]],
    address: str,
    store: TestStore,
    pack: tuple[Path, Manifest],
    tiny_data: DataConfig,
    tmp_path: Path,
) -> None:
    data = {"root": URL, "driveworld": tiny_data.driveworld.model_dump(mode="json")}
    space = simulated_space(
        arms=("equal",), base={**SLIM, "epochs": 1, "data": data}, search=None,
        confirm={"seeds": [1, 2]},
    )  # fmt: skip
    (tmp_path / "space.yaml").write_text(space_as_yaml(space))
    told = ["--space", "space.yaml", "--out", "study", "--address", address]
    done = subprocess.run(
        [sys.executable, "-m", "study.run", *told, "--storage", f"s3://{BUCKET}/checkpoints"],
        cwd=tmp_path,
        env=environments[0],  # the driver's disk is the head's
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    directory, manifest = pack
    ledger = Ledger.open(tmp_path / "study")
    places = {place for record in ledger.records.values() for place in record.places}
    assert len(places) == NUM_NODES
    summaries = ledger.manifest["data"]["data-0"].values()
    assert {summary["fingerprint"] for summary in summaries} == {manifest.fingerprint}
    copies = list(tmp_path.glob(f"disk-*/{manifest.fingerprint}"))
    assert len(copies) == NUM_NODES
    for copy in copies:
        names = {str(p.relative_to(copy)) for p in copy.rglob("*") if p.is_file()}
        assert names == {str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()}
    gets = Counter(one for one in store.door.asked if "GET /studies/packs/tiny/frames" in one)
    assert set(gets.values()) == {NUM_NODES}
    assert len(gets) == len(manifest.shards)
    assert store.files("checkpoints") == {}
