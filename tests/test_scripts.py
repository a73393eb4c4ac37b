"""Shell scripts and the Containerfile are sound, by their own checkers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.shell import faults

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted([*(ROOT / ".ci").iterdir(), *ROOT.glob("cluster/**/*.sbatch")])
HADOLINT = Path(sys.executable).with_name("hadolint")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_sound_shell(script: Path) -> None:
    assert faults(script.read_text()) == ""


def test_what_is_not_sound_is_found() -> None:
    assert "SC2086" in faults("#!/bin/bash\nrm -rf $1\n")
    assert "syntax error" in faults("if\n")


def test_the_containerfile_is_sound() -> None:
    told = [str(HADOLINT), "--no-color", str(ROOT / "Containerfile")]
    done = subprocess.run(told, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_takes_what_is_named_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    taken = {pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")}
    packages = {"mtdepth", "study", "cluster", "search_spaces"}
    assert taken == packages | {"pyproject.toml", "constraints.txt", "README.md", "LICENSE"}
    assert all((ROOT / name).exists() for name in taken)
