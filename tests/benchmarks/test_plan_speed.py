"""What it takes to be told a study's plan, beside what it would take to import the engine alone.

Run by hand: `pytest -m slow -s tests/benchmarks/test_plan_speed.py`. The ratio is what counts.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time

import pytest

NUM_ROUNDS = 5
COMMANDS = {
    "plan": ["-m", "study.run", "--space", "weighting.yaml", "--plan"],
    "import ray.tune": ["-c", "import ray.tune"],
    "import torch": ["-c", "import torch"],
}


def seconds_of(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return time.perf_counter() - start


@pytest.mark.slow
def test_a_plan_is_told_before_the_engine_would_be_there() -> None:
    best = dict.fromkeys(COMMANDS, math.inf)
    for _ in range(NUM_ROUNDS):
        for name, command in COMMANDS.items():
            best[name] = min(best[name], seconds_of(command))
    for name, seconds in best.items():
        print(f"{name}: {seconds:.2f} s; a plan takes {best['plan'] / seconds:.2f} of it")
    assert best["plan"] < best["import ray.tune"]
