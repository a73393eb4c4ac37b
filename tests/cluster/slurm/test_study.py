"""The batch script, on real Ray nodes of this machine, with stand-ins for Slurm's programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil
import pytest

from study.ledger import Ledger
from tests.cluster.slurm.programs import install

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "cluster" / "slurm" / "study.sbatch"
JOBS = count(os.getpid() * 10)
PATIENCE_S = 180.0


@dataclass(frozen=True)
class Job:
    """A job of Slurm on two nodes, as its batch script sees it."""

    home: Path
    number: int

    @property
    def study(self) -> Path:
        return self.home / "a study"

    @property
    def srun(self) -> list[str]:
        log = self.home / "srun.log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def arguments(self) -> list[str]:
        """Those that the study got."""
        found: list[str] = json.loads((self.home / "study.json").read_text())
        return found

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        search = [str(self.home / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
        mine = {
            "PATH": ":".join(search),
            "PYTHONPATH": f"{self.home / 'python'}:{ROOT}",
            "HOME": str(self.home),
            "SLURM_JOB_ID": str(self.number),
            "SLURM_JOB_NODELIST": "node-[1-2]",
            "SLURM_JOB_NUM_NODES": "2",
            "SLURM_CPUS_PER_TASK": "3",
            "SRUN_LOG": str(self.home / "srun.log"),
            "STUDY_LOG": str(self.home / "study.json"),
        }
        return subprocess.Popen(
            ["bash", str(SCRIPT), str(self.study), *arguments],
            env={**os.environ, **mine, **environment},
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def left(self) -> list[str]:
        """What it has left behind: processes, and files."""
        found = [str(path) for path in Path("/tmp").glob(f"ray-{self.number}.*")]
        found += [str(path) for path in (self.home / ".ray").glob("job-*")]
        for process in psutil.process_iter():
            try:
                if process.environ().get("SLURM_JOB_ID") == str(self.number):
                    found.append(" ".join(process.cmdline()))
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found


@pytest.fixture
def job(tmp_path: Path) -> Job:
    install(tmp_path)
    return Job(tmp_path, next(JOBS))


def wait_for(seen: Callable[[], bool], running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < deadline
        assert running.poll() is None, running.communicate()[0][-3000:]
        time.sleep(0.2)


def has_epochs(directory: Path) -> bool:
    if not (directory / "events.jsonl").exists():
        return False
    return any(record.epochs for record in Ledger.open(directory).records.values())


@pytest.mark.slow
def test_before_its_time_is_over_a_study_stops_and_the_same_line_goes_on(job: Job) -> None:
    told = ["--space", "weighting.yaml", "--set", "question=is $(it) 'one'; argument?"]
    with job.start(*told, STUDY_SECONDS="3") as running:
        wait_for(lambda: has_epochs(job.study), running)
        running.send_signal(signal.SIGUSR1)
        said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130, said[-3000:]
    assert job.left() == []
    assert job.arguments[:2] == ["--out", str(job.study)]
    assert job.arguments[4:] == told
    head, workers, rest = job.srun
    assert head.startswith("--nodes=1 --ntasks=1 --cpus-per-task=3 --nodelist=node-1 bash -c ")
    assert workers.startswith("--nodes=1 --ntasks=1 --cpus-per-task=3 --nodelist=node-2 bash -c ")
    assert "--include-dashboard=false" in head
    assert rest == f"--nodes=2 --ntasks=2 rm -rf -- /tmp/ray-{job.number}.0"
    before = {key: record.epochs for key, record in Ledger.open(job.study).records.items()}

    again = Job(job.home, next(JOBS))
    with again.start(*told, SLURM_JOB_NUM_NODES="1") as running:
        said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, said[-3000:]
    assert again.left() == []
    assert job.arguments[:2] == ["--resume", str(job.study)]
    ledger = Ledger.open(job.study)
    assert ledger.manifest["ended"]
    for key, epochs in before.items():
        assert ledger.records[key].epochs[: len(epochs)] == epochs


def test_a_study_that_fails_gives_the_nodes_back_and_its_exit_code_on(job: Job) -> None:
    with job.start("--space", "broken.yaml", SLURM_JOB_NUM_NODES="1") as running:
        said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 3, said[-3000:]
    assert job.left() == []


def test_a_job_that_is_cancelled_while_it_starts_gives_the_nodes_back(job: Job) -> None:
    with job.start("--space", "weighting.yaml") as running:
        wait_for(lambda: bool(job.srun), running)
        time.sleep(1.0)
        running.terminate()
        said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 143, said[-3000:]
    assert job.left() == []
    assert not job.study.exists()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "expected DIR --space FILE after the script's name"),
        ({"SLURM_JOB_ID": ""}, "expected a job of Slurm"),
    ],
)
def test_it_is_run_by_slurm_with_a_study(
    environment: dict[str, str], expected: str, job: Job
) -> None:
    with job.start(**environment) as running:
        said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode != 0
    assert expected in said
    assert job.srun == []
