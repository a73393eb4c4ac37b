"""How `python -m study.run` ends, and what it says then."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from study import run, runner
from study.results import Results, read_results
from study.space_loading import space_as_yaml
from study.trainable import OnProgress, SplitSummary
from tests.study.quick import Quick, quick_space


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quick.yaml").write_text(space_as_yaml(quick_space(search=None)))


def settings(monkeypatch: pytest.MonkeyPatch, quick: Quick) -> None:
    """The command line trains `quick` instead of the model."""
    made = partial(runner.Settings, trainable=quick, tracks=False)
    monkeypatch.setattr(runner, "Settings", made)


@pytest.mark.usefixtures("small_ray")
def test_a_study_in_which_all_failed_ends_with_1_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    settings(monkeypatch, Quick(diary=tmp_path / "diary", trouble={"equal": "nan", "dwa": "nan"}))
    assert run.main(["--space", "quick.yaml", "--out", "out"]) == run.FAILED == 1
    said = capfd.readouterr()
    assert re.fullmatch(
        r"error: no training came to its end, .* out/trials\.parquet says why of each; "
        r"confirm-(equal|dwa)-seed\d: expected finite losses, found nan in epoch 1\n",
        said.err,
    )
    assert "What to look at next" not in said.out


@pytest.mark.usefixtures("small_ray")
def test_a_study_that_ends_says_what_it_found_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    settings(monkeypatch, Quick(diary=tmp_path / "diary"))
    worked_out: list[Path] = []

    def counted(directory: Path) -> Results:
        worked_out.append(directory)
        return read_results(directory)

    for name in ("study.results", "study.report.writing"):
        monkeypatch.setattr(f"{name}.read_results", counted)
    assert run.main(["--space", "quick.yaml", "--set", "base.epochs=1"]) == 0
    assert len(worked_out) == 1, "for the report and the last words alike"
    (study,) = Path("studies").iterdir()
    assert re.fullmatch(r"quick-\d{8}-\d{6}", study.name)
    said = capfd.readouterr()
    assert said.err == ""
    assert said.out.startswith("Study quick: Does it?\nData: driveworld, ")
    assert "test/depth/abs_rel (lower is better)\n" in said.out
    assert f"\n  {study}/report.html  the report" in said.out


class Hasty(Quick):
    """Someone stops it while its data are prepared."""

    def check_data(
        self, config: Mapping[str, Any], on_progress: OnProgress | None = None
    ) -> dict[str, SplitSummary]:
        raise KeyboardInterrupt


def test_interrupted_before_any_training_there_is_nothing_to_go_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings(monkeypatch, Hasty(diary=tmp_path / "diary"))
    assert run.main(["--space", "quick.yaml", "--out", "out"]) == run.INTERRUPTED == 130
    assert capsys.readouterr().err == "\nInterrupted before any training had started.\n"
    assert not Path("out").exists()
