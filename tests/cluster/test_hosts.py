"""A study over several hosts that share nothing but a network is the one that a laptop runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from study.ledger import Ledger
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.space_loading import space_as_yaml
from tests.cluster import hosts
from tests.cluster.hosts import Hosts
from tests.cluster.test_study import DRIVER, SECONDS, SPACE, told
from tests.conftest import TINY_WORLD
from tests.stores import BUCKET, TestStore, running_store
from tests.study.conftest import small_ray
from tests.study.simulated import RANDOM_SEARCH, simulated_space

__all__ = ["small_ray"]
NUM_HOSTS = 4
URL = f"s3://{BUCKET}/of/a/lab"
pytestmark = pytest.mark.skipif(hosts.missing() is not None, reason=f"{hosts.missing()}")
REAL = simulated_space(
    base={
        "tasks": ["depth"],
        "epochs": 2,
        "batch_size": 4,
        "encoder": {"weights": "none"},
        "data": {"height": 64, "width": 192, "driveworld": TINY_WORLD.model_dump(mode="json")},
    },
    search=RANDOM_SEARCH,
    confirm={"seeds": [1]},
)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    with hosts.made(tmp_path_factory.mktemp("hosts"), NUM_HOSTS) as made:
        yield made


@pytest.fixture(scope="module")
def store(network: Hosts) -> Iterator[TestStore]:
    with running_store(network.outside) as store:
        yield store


@pytest.fixture(scope="module")
def cluster(network: Hosts, store: TestStore) -> Hosts:
    network.environment |= store.environment
    for host in network.hosts:
        network.start_ray(host)
    return network


def run(cluster: Hosts, command: list[str]) -> str:
    """Runs a program on the head to its end; what it said."""
    log = cluster.head.disk / "said"
    log.unlink(missing_ok=True)
    process = cluster.head.start([sys.executable, *command], cluster.environment, log.name)
    process.wait(timeout=600)
    assert process.returncode == 0, log.read_text()[-3000:]
    return log.read_text()


def check_whole(cluster: Hosts, study: str) -> list[dict[str, Any]]:
    """The study is complete on the head, all hosts have worked for it, and none has a part of it.

    Returns:
        What was tried and what it gave.
    """
    out = cluster.head.disk / study
    ledger = Ledger.open(out)
    names = {place.split("-")[0] for record in ledger.records.values() for place in record.places}
    assert names == {host.name for host in cluster.hosts}
    for record in ledger.records.values():
        if record.phase == "confirm":
            assert any((out / str(record.kept)).iterdir())
    assert (out / "report.html").is_file()
    assert [p.name for p in out.rglob(".*") if p.name != ".lock"] == [], "nothing is half written"
    assert not (out / "ray").exists()
    for host in cluster.hosts[1:]:
        assert not (host.disk / study).exists()
    return told(out)


@pytest.mark.parametrize("url", ["", pytest.param(URL, marks=pytest.mark.slow)], ids=["head", "s3"])
def test_hosts_without_a_shared_file_system_give_a_laptops_tables(
    cluster: Hosts, store: TestStore, small_ray: None, tmp_path: Path, url: str
) -> None:
    study = "stored" if url else "simulated"
    (cluster.head.disk / "driver.py").write_text(DRIVER)
    run(cluster, ["driver.py", f"/mnt/{study}", "auto", str(SECONDS), url])
    settings = Settings(trainable=Simulated(), tracks=False, concurrency=2)
    laptop = run_study(SPACE, tmp_path / "study", settings)
    assert check_whole(cluster, study) == told(laptop)
    assert any(url and "checkpoint_" in line for line in store.door.asked) == bool(url)
    assert store.files() == {}


@pytest.mark.slow
def test_real_trainings_by_the_command_line(cluster: Hosts) -> None:
    (cluster.head.disk / "real.yaml").write_text(space_as_yaml(REAL))
    command = ["-m", "study.run", "--space", "real.yaml", "--out", "real"]
    run(cluster, [*command, "--address", "auto"])
    run(cluster, [*command[:-1], "alone"])
    alone = told(cluster.head.disk / "alone")
    rows = check_whole(cluster, "real")
    for row in [*rows, *alone]:
        assert row["metrics"].pop("train/seconds") > 0
    assert rows == alone
