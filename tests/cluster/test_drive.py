"""A study on a cluster is begun and gone on with by the same words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster import drive, joined
from tests.cluster.mlflow.conftest import free_port

SPACE = ["--space", "weighting.yaml"]


@given(st.lists(st.text(max_size=10), max_size=4))
def test_arguments_reach_the_study_as_they_are(more: list[str]) -> None:
    if any(word.partition("=")[0] in ("--out", "--resume", "--address") for word in more):
        return
    told = drive.command(Path("/studies/a b"), [*SPACE, *more], "10.0.0.1:6379")
    where = ["--out", "/studies/a b", "--address", "10.0.0.1:6379"]
    assert told == [sys.executable, "-m", "study.run", *where, *SPACE, *more]


def test_a_study_that_is_there_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").touch()
    told = drive.command(tmp_path, SPACE, "auto")
    assert told[3:5] == ["--resume", str(tmp_path)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["studies/a", "--", *SPACE], "DIR: expected an absolute path, found 'studies/a'"),
        (["/a", "--", *SPACE, "--out=/b"], "--out: expected DIR and --address before --"),
        (["/a", "--", *SPACE, "--resume", "/b"], "--resume: expected DIR and"),
        (["/a", "--", *SPACE, "--address", "x"], "--address: expected DIR and"),
        (["/a", "--", "weighting.yaml"], "expected -- --space FILE, found no --space"),
    ],
)
def test_what_is_unclear_is_refused_in_a_line(
    told: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drive.main(told) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {expected}")
    assert error.count("\n") == 1


def test_nodes_that_do_not_join_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert joined.main([f"127.0.0.1:{free_port()}", "3", "0"]) == 2
    assert capsys.readouterr().err == "error: expected 3 nodes within 0 s, found 0\n"
