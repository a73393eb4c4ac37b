"""The ledger as one tidy table in a file."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from study import export
from study.ledger import Ledger
from tests.study.ledgers import METRIC, trial, write_study

EVENTS = [
    *trial("a", phase="search", number=0, params={"optimizer.lr": 1 / 3, "epochs": 2}, epochs=2),
    *trial("a", phase="search", number=1, params={"weighting.name": "dwa"}, val=math.nan),
    *trial("b", phase="search", number=0, params={"weighting.name": ["x", 1]}),
    *trial("a", 1, test={METRIC: 0.25}),
]


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return write_study(tmp_path / "told", EVENTS)


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".json":
        return pd.DataFrame(json.loads(path.read_text()))
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json"])
def test_every_format_holds_the_same(
    told: Path, tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"table{ending}"
    assert export.main([str(told), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: 4 rows\n"
    frame = read(out).set_index("trial_key")
    assert frame["params.optimizer.lr"].iloc[0] == 1 / 3
    assert frame["params.epochs"].iloc[0] == frame["epochs"].iloc[0] == 2
    assert math.isnan(frame["val/depth/abs_rel"]["search-a-001"])
    assert frame[METRIC]["confirm-a-seed1"] == 0.25
    for table, num_rows in (("epochs", 5), ("test", 1)):
        assert export.main([str(told), "--out", str(out), "--table", table]) == 0
        assert len(read(out)) == num_rows
        assert capsys.readouterr().out == f"{out}: {num_rows} rows\n"


def test_a_format_that_is_unknown_is_told(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main([str(told), "--out", "table.xls"]) == 2
    assert capsys.readouterr().err == (
        "error: --out: expected a file *.csv, *.parquet, *.json, found 'table.xls'\n"
    )


def test_a_study_without_trials_is_a_table_without_rows(tmp_path: Path) -> None:
    empty = write_study(tmp_path / "empty", [])
    assert Ledger.open(empty).trials().empty
    for ending in (".csv", ".parquet", ".json"):
        assert export.export(empty, tmp_path / f"table{ending}", "test") == 0
