"""What a study's numbers depend on is kept with them."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from study import manifest
from study.manifest import described, make_manifest, requirements
from study.trainable import SplitSummary, Truth


def git(directory: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    command = ["git", *identity, "-c", "commit.gpgsign=false", *arguments]
    done = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory where this code seems to stand, outside any repository."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    code = tmp_path / "manifest.py"
    code.write_text("")
    monkeypatch.setattr(manifest, "__file__", str(code))
    return tmp_path


def test_it_names_versions_machine_and_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "--space", "a space.yaml"])
    made = make_manifest("told", {"a": {"metric": "val/x"}}, {"data-0": {}})
    assert json.loads(json.dumps(made)) == made
    assert made["versions"]["numpy"] == np.__version__
    assert made["versions"]["python"] == sys.version.split()[0]
    assert {"torch", "ray", "optuna", "mlflow"} <= set(made["versions"])
    assert made["machine"]["num_cpus"] >= 1
    assert made["machine"]["memory_gib"] > 0
    assert isinstance(made["machine"]["gpus"], list)
    assert made["command"] == "python -m study.run --space 'a space.yaml'"
    assert (made["ended"], made["test_opened"]) == (None, None)
    assert made["objectives"] == {"a": {"metric": "val/x"}}
    assert made["data"] == {"data-0": {}}


def test_two_studies_that_start_at_once_have_ids_of_their_own() -> None:
    ids = [make_manifest("told", {}, {})["study_id"] for _ in range(5)]
    assert len(set(ids)) == 5
    assert all(re.fullmatch(r"told-\d{8}-\d{6}-[0-9a-f]{4}", one) for one in ids)


def test_a_data_set_is_told_by_split() -> None:
    summary = SplitSummary(num_samples=3, truth=Truth(poses=False), fingerprint="f")
    found = described({"test": summary})
    assert found["test"]["num_samples"] == 3
    assert found["test"]["fingerprint"] == "f"
    assert found["test"]["truth"]["poses"] is False
    assert found["test"]["truth"]["depth"] is True


def test_code_outside_git_has_no_commit(installed: Path) -> None:
    assert make_manifest("told", {}, {})["git"] is None


def test_a_machine_without_git_or_gpus_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    made = make_manifest("told", {}, {})
    assert made["git"] is None
    assert made["machine"]["gpus"] == []


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")
def test_the_commit_is_that_of_the_code_and_changes_since_are_told(installed: Path) -> None:
    git(installed, "init")
    git(installed, "add", "manifest.py")
    git(installed, "commit", "-m", "first")
    commit = git(installed, "rev-parse", "HEAD")
    assert make_manifest("told", {}, {})["git"] == {"commit": commit, "dirty": False}
    (installed / "manifest.py").write_text("changed")
    assert make_manifest("told", {}, {})["git"] == {"commit": commit, "dirty": True}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")
def test_code_installed_beneath_another_repository_has_not_its_commit(installed: Path) -> None:
    git(installed, "init")
    git(installed, "commit", "--allow-empty", "-m", "of something else")
    assert make_manifest("told", {}, {})["git"] is None


def test_the_packages_are_kept_as_pip_takes_them() -> None:
    first, *lines = requirements().splitlines()
    assert first == f"# Python {platform.python_version()}"
    assert f"numpy=={np.__version__}" in lines
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0].lower())
    assert all(re.fullmatch(r"[\w.-]+==\S+", line) for line in lines)
