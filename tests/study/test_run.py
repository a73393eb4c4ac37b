"""`python -m study.run`: what it refuses, in one line, and what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from study import run, runner
from study.space_loading import space_as_yaml
from study.trainable import OnProgress, SplitSummary
from tests.study.ledgers import told_space, write_study
from tests.study.quick import Quick, quick_space

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "ray", "optuna", "mlflow", "pandas", "sklearn", "scipy", "matplotlib")
SPACE = """\
study: small
question: Does it?
base:
  epochs: 1
arms:
  a: {set: {tasks: [depth]}}
objective: {metric: val/depth/abs_rel, mode: min}
confirm: {seeds: [1]}
compare:
  baseline: a
  metrics: [test/depth/abs_rel]
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("space.yaml").write_text(SPACE)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on stderr of a command that is not as it should be."""
    assert run.main(arguments) == run.BAD_INPUT == 2
    said = capsys.readouterr()
    line, end = said.err.split("\n")
    assert end == ""
    assert line.startswith("error: ")
    assert "Traceback" not in said.out
    return line.removeprefix("error: ")


@pytest.mark.parametrize(
    ("said", "instead", "expected"),
    [
        ("  epochs: 1", "  epohcs: 1",
         "space.yaml:4:3: base.epohcs: unknown field; did you mean 'epochs'?"),
        ("  epochs: 1", "  epochs: few",
         "space.yaml:4:11: base.epochs: expected a whole number, found the text 'few'"),
        ("seeds: [1]", "seeds: 1",
         "space.yaml:8:18: confirm.seeds: expected a list, found 1"),
        ("test/depth/abs_rel", "test/instances/ap50",
         "space.yaml:11:13: compare.metrics.0: no arm has a metric 'test/instances/ap50'; "),
        ("val/depth/abs_rel", "val/depth/abs_rell",
         "space.yaml:7:21: objective.metric: arm 'a' has no metric 'val/depth/abs_rell'; "
         "did you mean 'val/depth/abs_rel'?"),
        ("study: small", "study: [",
         "space.yaml:2:18: no valid YAML: "),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_told_with_its_place(
    capsys: pytest.CaptureFixture[str], said: str, instead: str, expected: str
) -> None:
    Path("space.yaml").write_text(SPACE.replace(said, instead))
    assert refused(capsys, "--space", "space.yaml", "--plan").startswith(expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--space", "none.yaml"], r"no space file 'none.yaml' here, nor .*: weighting.yaml"),
        (["--space", "space.yaml", "--set", "base.epohcs=3"],
         r"--set base\.epohcs=3: .*unknown field; did you mean 'epochs'\?"),
        (["--space", "space.yaml", "--set", "base.epochs=few"],
         r"--set base\.epochs=few: base\.epochs: expected a whole number"),
        (["--space", "space.yaml", "--set", "base.data={name: kitti, root: gone}"],
         r"data\.root: expected the directory of KITTI raw, found nothing at .*gone"),
        (["--resume", "none"], "expected a study directory with a space.yaml, found none"),
        (["--resume", "none", "--set", "base.epochs=3"], "--set does not go with --resume: .*"),
        (["--resume", "none", "--plan"], "--plan does not go with --resume: .*"),
        (["--resume", "none", "--out", "there"], "--out does not go with --resume: .*"),
    ],
)  # fmt: skip
def test_what_is_asked_for_and_cannot_be_had_is_told(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert re.match(expected, refused(capsys, *arguments))
    assert [path.name for path in here.iterdir()] == ["space.yaml"], "nothing is left behind"


def test_a_directory_that_holds_a_study_is_left_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_study(Path("taken"), [], told_space())
    before = {path: path.read_bytes() for path in Path("taken").iterdir()}
    message = refused(capsys, "--space", "space.yaml", "--out", "taken")
    assert message == (
        "taken holds a study already: expected a new directory for --out, or --resume taken to go "
        "on with that one"
    )
    assert {path: path.read_bytes() for path in Path("taken").iterdir()} == before


@pytest.mark.parametrize(
    "arguments",
    [[], ["--space", "a", "--resume", "b"], ["--space", "space.yaml", "--concurrency", "0"],
     ["--space", "space.yaml", "--concurrency", "x"], ["--space", "space.yaml", "--pla"]],
)  # fmt: skip
def test_a_command_that_says_nothing_clear_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run.main(arguments)
    assert caught.value.code == run.BAD_INPUT
    assert "usage: python -m study.run" in capsys.readouterr().err


def test_each_example_of_the_help_can_be_planned(capsys: pytest.CaptureFixture[str]) -> None:
    text = run.parser().format_help().replace("\\\n", " ")
    examples = [
        shlex.split(line)[3:] for line in text.splitlines() if "python -m study.run -" in line
    ]
    planned = [example for example in examples if "--space" in example]
    assert len(planned) == 3
    for example in planned:
        arguments = example if "--plan" in example else [*example, "--plan"]
        assert run.main(arguments) == 0
        said = capsys.readouterr().out
        assert "Study 'weighting': " in said
        assert "mt-uncertainty" in said
    assert not Path("studies").exists(), "a plan runs nothing"


@pytest.mark.parametrize("arguments", [["--help"], ["--space", "weighting.yaml", "--plan"]])
def test_help_and_plan_load_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys, contextlib\n"
        "from study.run import main\n"
        f"with contextlib.suppress(SystemExit): main({arguments!r})\n"
        f"print('loaded:', *(name for name in {HEAVY} if name in sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.splitlines()[-1] == "loaded:"
    assert "--resume" in found.stdout or "test/depth/comoving/hole_rate" in found.stdout


def settings(monkeypatch: pytest.MonkeyPatch, quick: Quick) -> None:
    """The command line trains `quick` instead of the model."""
    made = partial(runner.Settings, trainable=quick, tracks=False)
    monkeypatch.setattr(runner, "Settings", made)


@pytest.mark.usefixtures("small_ray")
def test_a_study_in_which_all_failed_ends_with_1_and_one_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    settings(monkeypatch, Quick(diary=here / "diary", trouble={"equal": "nan", "dwa": "nan"}))
    Path("quick.yaml").write_text(space_as_yaml(quick_space(search=None)))
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
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    settings(monkeypatch, Quick(diary=here / "diary"))
    Path("quick.yaml").write_text(space_as_yaml(quick_space(search=None)))
    assert run.main(["--space", "quick.yaml", "--set", "base.epochs=1"]) == 0
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
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings(monkeypatch, Hasty(diary=here / "diary"))
    assert run.main(["--space", "space.yaml", "--out", "out"]) == run.INTERRUPTED == 130
    assert capsys.readouterr().err == "\nInterrupted before any training had started.\n"
    assert not Path("out").exists()
