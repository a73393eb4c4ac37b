"""Work is divided, and its workers end with whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mtdepth.data.pack.pool import run_all

SLEEPERS = """
import os, sys, time
from pathlib import Path
from mtdepth.data.pack.pool import run_all

def work(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    list(run_all(work, sys.argv[1:], 2))
"""


def double(number: int) -> int:
    if number == 13:
        raise ValueError("expected no 13")
    return 2 * number


@pytest.mark.parametrize("num_workers", [1, 2])
def test_every_job_is_done(num_workers: int) -> None:
    assert sorted(run_all(double, range(9), num_workers)) == list(range(0, 18, 2))
    with pytest.raises(ValueError, match="expected no 13"):
        list(run_all(double, [12, 13], num_workers))
    assert list(run_all(double, [], num_workers)) == []


def test_no_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="expected workers >= 1, found 0"):
        list(run_all(double, [1], 0))


def end(number: int) -> int:
    os._exit(number)


def test_a_worker_that_is_killed_is_told() -> None:
    with pytest.raises(ChildProcessError, match="found one killed, as by a lack of memory"):
        list(run_all(end, [9, 9], 2))


def alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="only Linux tells who is alive")
def test_workers_of_a_killed_process_end(tmp_path: Path) -> None:
    script = tmp_path / "sleepers.py"
    script.write_text(SLEEPERS)
    notes = [tmp_path / "a", tmp_path / "b"]
    parent = subprocess.Popen([sys.executable, str(script), *map(str, notes)])
    try:
        wait_for(lambda: all(note.is_file() and note.read_text() for note in notes))
        workers = [int(note.read_text()) for note in notes]
        assert all(map(alive, workers))
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    wait_for(lambda: not any(map(alive, workers)))


def wait_for(what) -> None:
    for _ in range(600):
        if what():
            return
        time.sleep(0.1)
    raise AssertionError("waited for a minute")
