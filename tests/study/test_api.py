"""A study from Python: what the command line does, and dataframes of what was found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from study import Arm, Space, Study
from study.ledger import Ledger
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.space_loading import load_space, space_as_yaml
from tests.study.ledgers import told_space, trial, write_study
from tests.study.simulated import simulated_space, told
from tests.study.test_run import HEAVY, ROOT

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
SPACE = simulated_space(confirm={"seeds": [1, 2]})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, small_ray: None) -> Study:
    out = tmp_path_factory.mktemp("ran") / "study"
    return Study(SPACE).run(out, concurrency=1, trainable=Simulated(), tracks=False)


@pytest.mark.usefixtures("small_ray")
def test_the_worked_example_works(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/api.md", "exec"), names)
    said = capsys.readouterr().out
    assert "ended 12 of 12\n" in said
    assert said.endswith("studies/rates/report.html\n")
    assert Path("studies/rates/report.html").exists()
    assert len(names["study"].trials) == 12


def test_it_is_what_the_command_line_runs(ran: Study, tmp_path: Path, small_ray: None) -> None:
    settings = Settings(concurrency=1, trainable=Simulated(), tracks=False)
    run_study(SPACE, tmp_path / "out", settings)
    assert told(ran.directory) == told(tmp_path / "out")


def test_what_was_found_is_read_back_as_dataframes(ran: Study) -> None:
    trials, ledger = ran.trials, Ledger.open(ran.directory)
    assert list(trials.trial_key) == list(ledger.records)
    last = trials.set_index("trial_key").loc["confirm-dwa-seed1"]
    record = ledger.records["confirm-dwa-seed1"]
    assert last["params.optimizer.lr"] == record.dealt.params["optimizer.lr"]
    assert last["val/depth/abs_rel"] == record.metrics["val/depth/abs_rel"]
    assert len(ran.epochs) == len(ledger.epochs())
    assert len(ran.test) == 4 * 4
    assert ran.test["test/depth/abs_rel"].notna().all()
    (row,) = ran.comparisons.to_dict("records")
    assert (row["arm"], row["reference"], row["num_pairs"]) == ("dwa", "equal", 2)
    means = ran.arms.query("metric == 'test/depth/abs_rel'").set_index("arm")["mean"]
    assert row["difference"] == pytest.approx(means["dwa"] - means["equal"])
    best = ran.best("dwa")
    searched = trials[(trials.arm == "dwa") & (trials.phase == "search")]
    assert best is not None
    assert best.value == searched["val/depth/abs_rel"].min()
    assert ran.status.state == "ended"
    assert ran.report() == ran.directory / "report.html"
    assert repr(ran) == f"Study('simulated', {ran.directory})"


def test_a_notebook_shows_the_arms(ran: Study) -> None:
    shown = ran._repr_html_()
    assert "<b>simulated</b>: Does it hold?<br>ended, 10 of 10 trials, " in shown
    assert "<td>test/depth/abs_rel</td>" in shown
    planned = Study(SPACE.model_copy(update={"question": "<Is it?>"}))._repr_html_()
    assert "&lt;Is it?&gt;<br>not run" in planned
    assert "<td>dwa</td>" in planned


def test_an_interrupted_study_is_resumed(tmp_path: Path, ran: Study, small_ray: None) -> None:
    out = tmp_path / "cut"
    lines = (ran.directory / "events.jsonl").read_text().splitlines(keepends=True)
    write_study(out, [], SPACE, ended=None, test_opened=None, objectives=OBJECTIVES)
    (out / "events.jsonl").write_text(lines[0])
    assert Study.open(out).status.state == "interrupted"
    again = Study.resume(out, concurrency=1, trainable=Simulated(), tracks=False)
    assert told(again.directory) == told(ran.directory)


OBJECTIVES = {arm: SPACE.objective_of(arm).model_dump() for arm in SPACE.arms}


def test_a_study_runs_once(ran: Study) -> None:
    with pytest.raises(ValueError, match=r"already: expected one that has not run; go on with it "):
        ran.run(trainable=Simulated())


def test_from_file_is_what_load_space_gives() -> None:
    made = Study.from_file("weighting.yaml", overrides=["base.epochs=7"])
    assert made.space == load_space("weighting.yaml", ["base.epochs=7"])
    assert Study(made.space).space == made.space
    with pytest.raises(ValueError, match=r"base\.epohcs: unknown field; did you mean 'epochs'"):
        Study.from_file("weighting.yaml", overrides=["base.epohcs=7"])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"base": {"epohcs": 1}}, r"^base\.epohcs: unknown field; did you mean 'epochs'\?$"),
        ({"arms": {"a": Arm(set={"optimizer.lr": "fast"})}, "search": None},
         r"^arms\.a\.set\.optimizer\.lr: expected a number, found the text 'fast'$"),
        ({"search": None}, r"^confirm\.seeds: with no search and no seeds, nothing is run$"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_field(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Study(simulated_space().model_copy(update=changes))


def test_plain_data_will_do_and_paths_become_absolute(tmp_path: Path) -> None:
    data = simulated_space().model_dump(mode="json")
    data["base"] = {"data.root": "somewhere", "tasks": ["depth"]}
    made = Study(data)
    assert made.space.base["data"]["root"] == str(tmp_path / "somewhere")
    assert data["base"]["data.root"] == "somewhere", "what was given stays as it was"
    with pytest.raises(ValueError, match=r"^stduy: unknown field; did you mean 'study'\?$"):
        Study({"stduy": "x", **data})


def test_what_has_not_run_cannot_be_read() -> None:
    with pytest.raises(ValueError, match=r"found one that has not: call run\(\), or Study\.open"):
        _ = Study(SPACE).trials
    with pytest.raises(ValueError, match=r"^expected a study directory with a space\.yaml"):
        Study.open("none")


def test_an_arm_that_is_not_there_is_told(tmp_path: Path) -> None:
    out = write_study(tmp_path / "told", trial("a", 1, val=0.5), told_space())
    opened = Study.open(out)
    assert opened.best("b") is None
    with pytest.raises(ValueError, match=r"^no arm 'c'; valid here: a, b$"):
        opened.best("c")
    assert isinstance(opened.test, pd.DataFrame)
    assert opened.comparisons.empty


def test_importing_study_is_light() -> None:
    script = (
        "import sys, study; assert 'pydantic' not in sys.modules; study.Study; study.Space\n"
        f"print('loaded:', *(name for name in {HEAVY} if name in sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout == "loaded:\n"
    assert Space.__name__ in dir(sys.modules["study"])
    assert space_as_yaml(SPACE)
