"""Two studies side by side, honest about what is a pair."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from study import compare
from study.side_by_side import side_by_side
from tests.study.ledgers import METRIC, confirmed, told_space, write_study

DATA = {"data-0": {split: {"fingerprint": split} for split in ("train", "val", "test")}}
A = {"a": {1: 0.30, 2: 0.32, 3: 0.31}, "b": {1: 0.28, 2: 0.29, 3: 0.30}}
B = {"a": {1: 0.25, 2: 0.28, 3: 0.26}, "c": {1: 0.25, 2: 0.5, 3: 0.75}}


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write_study(tmp_path / "first", confirmed(A), data=DATA)


def second(tmp_path: Path, data: Any = DATA, values: Any = B, **changes: Any) -> Path:
    space = told_space(**{"arms": {"a": {}, "c": {"set": {"batch_size": 2}}}, **changes})
    return write_study(tmp_path / "second", confirmed(values), space, data=data)


def test_same_seeds_and_data_are_pairs(
    first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = second(tmp_path)
    found = side_by_side(first, other)
    assert found.why_unpaired is None
    cell = {c.arm: c for c in found.cells if c.metric == METRIC}["a"]
    assert cell.difference == pytest.approx(-0.14 / 3)
    expected = stats.t.interval(0.95, 2, -0.14 / 3, stats.sem([-0.05, -0.04, -0.05]))
    assert (cell.low, cell.high) == pytest.approx(expected)
    assert compare.main([str(first), str(other)]) == 0
    said = capsys.readouterr().out
    assert "\nWhat their spaces say differently\n" in said
    assert "arms.c.set.batch_size" in said
    assert f"\n{METRIC} (lower is better)\n" in said
    assert "Seeds and data are the same, so that differences are taken seed by seed." in said
    tested = said[said.index(METRIC) :]
    row = next(line for line in tested.splitlines() if line.startswith("c "))
    assert row.split() == ["c", "—", "0", "0.500", "±", "0.250", "3", "—", "—"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"data": {"data-0": {"train": {"fingerprint": "other"}}}}, "the data are not the same"),
        ({"data": {}}, "the data are not the same"),
        ({"confirm": {"seeds": [1, 2, 4]}, "values": {"a": {1: 0.25, 2: 0.28, 4: 0.26}}},
         r"the seeds are not the same (1, 2, 3 and 1, 2, 4)"),
    ],
)  # fmt: skip
def test_others_are_not_and_it_says_why(
    first: Path,
    tmp_path: Path,
    changes: dict[str, Any],
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = second(tmp_path, **changes)
    cell = {c.arm: c for c in side_by_side(first, other).cells if c.metric == METRIC}["a"]
    welch = stats.ttest_ind([0.25, 0.28, 0.26], [0.30, 0.32, 0.31], equal_var=False)
    assert cell.difference == pytest.approx(-0.14 / 3)
    assert (cell.low, cell.high) == pytest.approx(tuple(welch.confidence_interval()))
    assert compare.main([str(first), str(other), "--markdown"]) == 0
    said = capsys.readouterr().out
    assert f"Seeds are not paired across these studies, as {why}" in said
    assert "| arm | A | n | B | n | B - A | 95 % interval |\n| --- | ---: |" in said


def test_a_study_beside_itself_differs_in_nothing(
    first: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = side_by_side(first, first)
    assert found.settings == []
    assert {c.difference for c in found.cells} == {0}
    assert compare.main([str(first), str(first)]) == 0
    assert "\nTheir spaces are the same. " in capsys.readouterr().out


def test_one_value_gives_no_interval(tmp_path: Path, first: Path) -> None:
    other = second(tmp_path, data={}, values={"a": {1: 0.2}})
    cell = next(c for c in side_by_side(first, other).cells if c.metric == METRIC)
    assert math.isnan(cell.low)


def test_what_is_no_study_is_refused(first: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main([str(first), "none"]) == 2
    assert "expected a study directory with a space.yaml, found none" in capsys.readouterr().err


def test_a_page_is_written_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studies = []
    for name, by in (("1", 0.0), ("2", -0.1)):
        values = {arm: {s: 0.3 + s / 100 + by for s in (1, 2, 3)} for arm in "ab"}
        studies.append(str(write_study(tmp_path / name, confirmed(values))))
    assert compare.main([*studies, "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "compare.html").read_text()
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'compare.html'}\n"
    assert "test/depth/abs_rel (lower is better)" in page
    assert "<bdi>-0.100</bdi>" in page
    assert page.count("data:image/png;base64,") == 1
    assert (tmp_path / "out" / "figures" / "compare.pdf").exists()
