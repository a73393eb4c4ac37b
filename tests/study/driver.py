"""A study in a process of its own, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from study.ledger import Ledger
from study.space import Space
from study.space_loading import space_as_yaml

PATIENCE_S = 120
SCRIPT = """\
import sys
from functools import partial
from pathlib import Path

from study import run, runner
from study.tracking import tracker
from {module} import {kind}

tracker.SECONDS_BETWEEN_SYNCS = 0.1
trainable = {kind}(diary=Path("diary").resolve(), seconds={seconds})
runner.Settings = partial(runner.Settings, trainable=trainable)
sys.exit(run.main())
"""


def run_script(directory: Path, script: str, *arguments: Path) -> str:
    """Runs a driver that is written for one test to its end, which must be a good one; what it
    said."""
    path = directory / "driver.py"
    path.write_text(script)
    done = subprocess.run(
        [sys.executable, str(path), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


class Driver:
    """Runs a study in a directory, as its command line does; or goes on with it, if it is there.

    Args:
        directory: the study is its `study`, and its `diary` what was trained.
        space: the study.
        kind: the trainable, which writes a diary.
        seconds: of an epoch.
        concurrency: trials at once.
    """

    def __init__(
        self, directory: Path, space: Space, kind: type, *, seconds: float, concurrency: int = 1
    ) -> None:
        self.out = directory / "study"
        script = SCRIPT.format(module=kind.__module__, kind=kind.__name__, seconds=seconds)
        (directory / "driver.py").write_text(script)
        (directory / "space.yaml").write_text(space_as_yaml(space))
        begun = (self.out / "space.yaml").exists()
        told = ["--resume", "study"] if begun else ["--space", "space.yaml", "--out", "study"]
        self.process = subprocess.Popen(
            [sys.executable, "driver.py", *told, "--concurrency", str(concurrency)],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until(self, reached: Callable[[Ledger], bool]) -> None:
        """Waits until the study has come so far."""
        deadline = time.monotonic() + PATIENCE_S
        while not ((self.out / "space.yaml").exists() and reached(Ledger.open(self.out))):
            if time.monotonic() > deadline:
                self.process.kill()
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)

    def stop(self, sent: signal.Signals) -> tuple[int, str]:
        """Sends a signal; gives its exit code and last words."""
        self.process.send_signal(sent)
        _, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, err


def lives(pid: int) -> bool:
    """Whether a process is there, and is more than the remains of one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
