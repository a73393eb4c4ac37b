"""A study on hosts that faults befall, and whoever goes on with it when it has ended too early."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from study.events import Event, Tracked
from study.ledger import Ledger
from study.space import Space
from study.space_loading import space_as_yaml
from tests.cluster.hosts import DISK, Host, Hosts
from tests.stores import BUCKET, TestStore
from tests.study.simulated import entries

PATIENCE_S = 600.0
"""Of a study, or of what is waited for in it."""
SCRIPT = """\
import sys
from functools import partial

from study import run, runner
from tests.chaos.watched import KINDS

if __name__ == "__main__":
    runner.Settings = partial(runner.Settings, trainable=KINDS[{kind!r}]())
    sys.exit(run.main())
"""


@dataclass
class Rig:
    """A study under way on hosts.

    It has a directory of its own on the head's disk, `<name>`, with the study and MLflow's
    database.
    """

    cluster: Hosts
    name: str
    kind: str
    space: Space
    store: TestStore
    is_stored: bool
    """Whether checkpoints go to the store."""
    chance: random.Random
    driver: subprocess.Popen[Any] | None = None

    @property
    def directory(self) -> Path:
        """Its directory, as the head sees it."""
        return DISK / self.name

    @property
    def seen(self) -> Path:
        """The same from outside, with what is mounted in it."""
        return Path(f"/proc/{self.cluster.head.pid}/root") / self.directory.relative_to("/")

    @property
    def out(self) -> Path:
        """The study directory from outside."""
        return self.seen / "study"

    def prepare(self, empty_mlflow: Path) -> None:
        """Puts there what the study begins with."""
        self.seen.mkdir(exist_ok=True)
        shutil.copy(empty_mlflow, self.seen / "mlflow.db")
        (self.seen / "driver.py").write_text(SCRIPT.format(kind=self.kind))
        (self.seen / "space.yaml").write_text(space_as_yaml(self.space))
        for host in self.cluster.hosts:
            (host.disk / "diary").write_text("")
            (host.disk / "slow").unlink(missing_ok=True)

    def start(self) -> None:
        """Starts the study, or goes on with it."""
        begun = (self.out / "space.yaml").exists()
        told = ["--resume", "study"] if begun else ["--space", "space.yaml", "--out", "study"]
        url = f"s3://{BUCKET}/{self.name}"
        stored = ["--storage", url] if self.is_stored and not begun else []
        self.driver = self.run(*told, *stored)

    def run(self, *told: str) -> subprocess.Popen[Any]:
        """Starts a driver on the head."""
        command = [sys.executable, "driver.py", *told, "--address", "auto"]
        log = f"{self.name}.log"
        return self.cluster.head.start(command, self.cluster.environment, log, self.directory)

    def ask(self, script: str) -> str:
        """Runs a script on the head, in its directory; the last line that it prints."""
        log = self.cluster.head.disk / "asked"
        log.unlink(missing_ok=True)
        command = [sys.executable, "-c", script]
        asked = self.cluster.head.start(command, self.cluster.environment, log.name, self.directory)
        code = asked.wait(timeout=PATIENCE_S)
        assert code == 0, log.read_text()
        return log.read_text().strip().splitlines()[-1]

    def wait_for_events(self, num: int) -> None:
        """Waits until so much has happened in the study, or it is over."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.events()) < num and self.is_running():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def is_running(self) -> bool:
        """Whether it has a driver."""
        return self.driver is not None and self.driver.poll() is None

    def wait(self) -> int:
        """Waits until its driver has ended; the exit code."""
        assert self.driver is not None
        return self.driver.wait(timeout=PATIENCE_S)

    def kill_driver(self) -> None:
        """As `kill -9` does."""
        assert self.driver is not None
        for process in psutil.Process(self.driver.pid).children(recursive=True)[:1]:
            process.kill()
        self.driver.wait()

    def events(self) -> list[Event]:
        """What has happened, without what MLflow's thread puts in between."""
        if not (self.out / "space.yaml").exists():
            return []
        return [event for event in self.ledger().events() if not isinstance(event, Tracked)]

    def ledger(self) -> Ledger:
        """Of the study, to read."""
        return Ledger.open(self.out)

    def workers(self) -> list[tuple[Host, psutil.Process]]:
        """What trains at the moment: processes of Ray that hold a trial."""
        return [
            (host, process)
            for host in self.cluster.hosts
            for process in host.processes()
            if _is_trial(process)
        ]

    def begun(self) -> list[dict[str, Any]]:
        """Epochs that were begun, on whichever host, in order of time."""
        told = [entry for host in self.cluster.hosts for entry in entries(host.disk / "diary")]
        return sorted(told, key=lambda entry: str(entry["time"]))

    def log(self) -> str:
        """All that drivers have said."""
        return (self.cluster.head.disk / f"{self.name}.log").read_text()

    def mend(self) -> None:
        """Puts all hosts on, and Ray on each."""
        if not self.cluster.head.pid:
            for host in self.cluster.hosts:
                host.power_off()
        for host in self.cluster.hosts:
            (host.disk / "slow").unlink(missing_ok=True)
            if not host.pid:
                host.power_on(self.cluster.bridge)
                (host.disk / "ray.log").unlink(missing_ok=True)
                self.cluster.start_ray(host)


def _is_trial(process: psutil.Process) -> bool:
    try:
        return any(word.startswith("ray::ImplicitFunc") for word in process.cmdline()[:1])
    except psutil.Error:
        return False
