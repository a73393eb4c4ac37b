"""What a study says when it ends, on the screens that people have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from study.closing import render
from study.results import read_results
from study.space import Space
from tests.study.ledgers import told_space, trial, write_study

METRICS = ["test/depth/abs_rel", "test/depth/comoving/hole_rate", "test/depth/a1"]
ARMS = ("st-depth", "mt-uncertainty")


def space(**changes: Any) -> Space:
    compare = {"baseline": "st-depth", "metrics": METRICS}
    return told_space(arms={arm: {} for arm in ARMS}, compare=compare, **changes)


def shown(study: Path, width: int = 80) -> str:
    console = Console(width=width, record=True, quiet=False, highlight=False)
    console.print(render(read_results(study), study), crop=False)
    return console.export_text()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    events = [
        event
        for index, arm in enumerate(ARMS)
        for seed in (1, 2, 3)
        for event in trial(arm, seed, test=dict.fromkeys(METRICS, 0.3123 + 0.1 * seed * index))
    ]
    return write_study(tmp_path / "s", events, space())


@pytest.mark.parametrize("width", [80, 110])
def test_names_of_metrics_and_arms_and_numbers_stay_whole(study: Path, width: int) -> None:
    lines = shown(study, width).splitlines()
    for metric in METRICS:
        order = "higher" if metric.endswith("a1") else "lower"
        assert f"{metric} ({order} is better)" in lines
    assert [line.split()[0] for line in lines if "±" in line and line.startswith("  ")] == [
        arm for _ in range(1 + len(METRICS)) for arm in ARMS
    ]
    row = "  mt-uncertainty  0.512 ± 0.100      +0.200  -0.0484 to +0.448     0.750"
    assert lines.count(row) == len(METRICS)
    tables = lines[: lines.index(row) + 1]
    assert all(len(line) <= width for line in tables)


def test_it_ends_with_the_answer_and_where_to_look_next(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in ("report.html", "table.tex"):
        (study / name).touch()
    said = shown(study)
    assert "mean ± standard deviation over 3 seeds" in said
    answer, paths = said.split("What to look at next:\n")
    assert "On test/depth/abs_rel (lower is better), mt-uncertainty reaches" in answer
    assert [line.split("  ")[1] for line in paths.splitlines()] == [
        str(study / "report.html"),
        str(study / "table.tex"),
        str(study / "trials.parquet"),
        "mlflow ui --backend-store-uri sqlite:///mlflow.db",
    ]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://server:5000", "  http://server:5000  every trial in the MLflow UI"),
        ("sqlite:////a b/m.db", "  mlflow ui --backend-store-uri 'sqlite:////a b/m.db'  every"),
        ("", "  mlflow ui --backend-store-uri sqlite:///mlflow.db  every"),
    ],
)
def test_it_says_how_to_see_what_mlflow_has(
    study: Path, monkeypatch: pytest.MonkeyPatch, uri: str, expected: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert expected in shown(study)


def test_without_seeds_there_is_no_spread_to_speak_of(tmp_path: Path) -> None:
    events = trial("st-depth", phase="search", number=0, test={METRICS[0]: 0.25})
    search = {"trials_per_arm": 1}
    study = write_study(tmp_path / "s", events, space(confirm={}, search=search))
    lines = shown(study).splitlines()
    assert "told: the arms, one training each" in lines
    assert lines.count("  st-depth  0.250") == 1
    assert not any("mt-uncertainty" in line for line in lines if line.startswith("  "))
