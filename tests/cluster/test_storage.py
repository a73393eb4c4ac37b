"""Wherever checkpoints go, a study on several nodes is the one that a laptop runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster import local
from study.ledger import Ledger
from study.runner import Settings, run_study
from study.simulate import Simulated
from tests.cluster.mlflow.conftest import free_port
from tests.cluster.test_study import told
from tests.stores import BUCKET, TestStore, running_store
from tests.study.conftest import small_ray
from tests.study.simulated import RANDOM_SEARCH, simulated_space

__all__ = ["small_ray"]
ROOT = Path(__file__).parents[2]
NUM_NODES = 2
URL = f"s3://{BUCKET}/some/prefix"
DRIVER = """
import sys
from pathlib import Path
import mtdepth.store
from study import run
from study.runner import Settings, resume_study, run_study
from study.simulate import Simulated
from study.standstill import Standstill
from tests.cluster.test_storage import SPACE

if __name__ == "__main__":
    out, address, url, seconds, patience_s = sys.argv[1:]
    mtdepth.store.PATIENCE_S = float(patience_s)
    told = Settings(
        address=address, storage=url or None, trainable=Simulated(seconds=float(seconds)),
        tracks=False,
    )
    try:
        if Path(out, "space.yaml").exists():
            resume_study(Path(out), told)
        else:
            run_study(SPACE, Path(out), told)
    except (Standstill, ValueError) as error:
        sys.exit(f"error: {error}")
"""
SPACE = simulated_space(
    search={**RANDOM_SEARCH, "trials_per_arm": 1},
    confirm={"seeds": [1]},
    pictures={"every_epochs": 2},
)


@pytest.fixture(scope="module")
def store() -> Iterator[TestStore]:
    with running_store() as store:
        yield store


@pytest.fixture(scope="module")
def address(store: TestStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of nodes that have the keys of the store in their environment."""
    home = tmp_path_factory.mktemp("nodes")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        yield local.up(home, nodes=NUM_NODES, cpus=1, port=free_port())
    local.down(home)


@pytest.fixture(scope="module")
def laptop(small_ray: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("laptop") / "study"
    return run_study(SPACE, out, Settings(trainable=Simulated(), tracks=False, concurrency=2))


@dataclass(frozen=True)
class Drive:
    """Starts drivers, as Ray of this process may be another."""

    address: str
    store: TestStore
    out: Path

    def start(
        self,
        url: str,
        seconds: float,
        patience_s: float = 120,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        script = self.out.parent / "driver.py"
        script.write_text(DRIVER)
        keys = self.store.environment if environment is None else environment
        told = [str(self.out), self.address, url, str(seconds), str(patience_s)]
        return subprocess.Popen(
            [sys.executable, str(script), *told],
            env={**os.environ, **keys, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "token"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *told: Any, **more: Any) -> tuple[int, str]:
        with self.start(*told, **more) as driver:
            said, _ = driver.communicate(timeout=400)
        return driver.returncode, said

    def await_epochs(self, num: int) -> None:
        """Until so many have been reported."""
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline:
            time.sleep(0.1)
            if (self.out / "events.jsonl").exists() and self.num_epochs() >= num:
                return
        raise TimeoutError(f"{self.num_epochs()} of {num} epochs")

    def num_epochs(self) -> int:
        return sum(len(record.epochs) for record in Ledger.open(self.out).records.values())


@pytest.fixture
def drive(address: str, store: TestStore, tmp_path: Path) -> Drive:
    return Drive(address, store, tmp_path / "study")


def expect_alike(out: Path, laptop: Path, store: TestStore) -> None:
    """The numbers and the files are those of a laptop, and nothing is left elsewhere."""
    assert told(out) == told(laptop)
    names = [
        # a hidden file is what a driver was writing when it was killed
        {str(p.relative_to(directory)) for p in directory.rglob("[!.]*") if p.is_file()}
        for directory in (out, laptop)
    ]
    assert names[0] == names[1]
    for record in Ledger.open(out).records.values():
        assert [epoch.epoch for epoch in record.epochs] == [1, 2, 3]
        if record.phase == "confirm":
            assert [p.name for p in (out / str(record.kept)).iterdir()] == ["state.json"]
    assert store.files() == {}


@pytest.mark.slow
@pytest.mark.parametrize("url", ["", URL], ids=["head", "s3"])
def test_a_study_is_a_laptops_and_its_directory_is_whole(
    drive: Drive, laptop: Path, store: TestStore, url: str
) -> None:
    code, said = drive.run(url, 2.0)
    assert code == 0, said[-2000:]
    expect_alike(drive.out, laptop, store)


@pytest.mark.slow
@pytest.mark.parametrize("url", ["", URL], ids=["head", "s3"])
def test_it_goes_on_from_there_after_its_driver_was_killed(
    drive: Drive, laptop: Path, store: TestStore, url: str
) -> None:
    driver = drive.start(url, 2.0)
    drive.await_epochs(3)
    driver.send_signal(signal.SIGKILL)
    driver.communicate(timeout=60)
    done = {key: len(r.epochs) for key, r in Ledger.open(drive.out).records.items()}
    assert bool(store.files("some/prefix/simulated-")) == bool(url)
    code, said = drive.run("", 0.0)  # the manifest tells where checkpoints are
    assert code == 0, said[-2000:]
    assert sum(done.values()) >= 3
    expect_alike(drive.out, laptop, store)


@pytest.mark.parametrize("seconds", [8, pytest.param(60, marks=pytest.mark.slow)])
def test_a_store_that_is_away_for_a_while_costs_no_epoch(
    drive: Drive, laptop: Path, store: TestStore, seconds: float
) -> None:
    with drive.start(URL, 1.0) as driver:
        drive.await_epochs(2)
        with store.door.shut():
            time.sleep(seconds)
            done = drive.num_epochs()
        said, _ = driver.communicate(timeout=400)
    assert driver.returncode == 0, said[-2000:]
    assert done < 12
    assert "the store does not answer" in said
    assert "the store answers again" in said
    expect_alike(drive.out, laptop, store)


@pytest.mark.slow
def test_one_that_stays_away_ends_the_study_in_a_line_and_it_goes_on_later(
    drive: Drive, laptop: Path, store: TestStore
) -> None:
    with drive.start(URL, 1.0, patience_s=3) as driver:
        drive.await_epochs(2)
        with store.door.shut():
            said, _ = driver.communicate(timeout=200)
            assert driver.returncode == 1, said[-2000:]
            *_, line = said.strip().splitlines()
            assert line.startswith(f"error: {URL}/simulated-")
            assert ": the store has not answered for 3 seconds (" in line
            assert line.endswith(
                "No epoch that was reported is lost; see that it answers, then go on: "
                f"python -m study.run --resume {drive.out}"
            )
            code, said = drive.run("", 0.0)
            assert code == 1
            assert f"--storage: expected a store to write to at {URL}, found: nothing" in said
    assert {r.status for r in Ledger.open(drive.out).records.values()} <= {"running", "completed"}
    code, said = drive.run("", 0.0)
    assert code == 0, said[-2000:]
    expect_alike(drive.out, laptop, store)
