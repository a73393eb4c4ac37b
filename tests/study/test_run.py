"""`python -m study.run`: what it refuses, in one line, and what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from study import run
from tests.study.ledgers import told_space, write_study

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
        (["--space", "none.yaml"], r"no space file 'none.yaml' here, nor .*, weighting.yaml"),
        (["--space", "space.yaml", "--set", "base.epohcs=3"],
         r"--set base\.epohcs=3: .*unknown field; did you mean 'epochs'\?"),
        (["--space", "space.yaml", "--set", "base.epochs=few"],
         r"--set base\.epochs=few: base\.epochs: expected a whole number"),
        (["--space", "space.yaml", "--set", "base.data={name: kitti, root: gone}"],
         r"data\.root: expected the directory of kitti, found nothing at .*gone"),
        (["--resume", "none"], "expected a study directory with a space.yaml, found none"),
        (["--resume", "none", "--set", "base.epochs=3"], "--set does not go with --resume: .*"),
        (["--resume", "none", "--plan"], "--plan does not go with --resume: .*"),
        (["--resume", "none", "--out", "there"], "--out does not go with --resume: .*"),
        (["--resume", "none", "--storage", "s3://x/y"], "--storage does not go with --resume: .*"),
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
    [[], ["--space", "space.yaml", "--extend"], ["--space", "space.yaml", "--concurrency", "0"],
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
        assert "Study 'weighting': " in capsys.readouterr().out
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
    assert ("--resume" if "--help" in arguments else "Study 'weighting': ") in found.stdout
