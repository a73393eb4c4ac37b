"""`study <verb>`: every verb says what it does, and is a thin layer over what does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from study import cli
from study.cli import VERBS, main
from tests.study.ledgers import METRIC, confirmed, write_study
from tests.study.test_run import HEAVY, ROOT


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: study VERB ...\n")
    assert all(f"\n  {verb} " in said for verb in VERBS)
    assert main([]) == cli.BAD_INPUT == 2
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_of_its_own(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: study {verb} ")


def test_the_help_of_any_verb_loads_nothing_heavy() -> None:
    script = (
        "import sys, contextlib\nfrom study.cli import VERBS, main\n"
        "for verb in VERBS:\n with contextlib.suppress(SystemExit): main([verb, '--help'])\n"
        f"print('loaded:', *(name for name in {HEAVY} if name in sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.splitlines()[-1] == "loaded:"


def test_an_unknown_verb_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["statsu", "there"]) == 2
    assert capsys.readouterr().err == "error: unknown verb 'statsu'; did you mean 'status'?\n"


def test_plan_takes_what_the_front_door_takes(capsys: pytest.CaptureFixture[str]) -> None:
    plans = []
    for arguments in (
        ["plan", "weighting.yaml", "--set", "base.epochs=1"],
        ["plan", "--set", "base.epochs=1", "weighting.yaml"],
        ["run", "weighting.yaml", "--plan", "--set", "base.epochs=1"],
        ["--space", "weighting.yaml", "--plan", "--set", "base.epochs=1"],
    ):
        assert main(arguments) == 0
        plans.append(capsys.readouterr().out)
    assert set(plans) == {plans[0]}
    assert "Study 'weighting': " in plans[0]
    assert not Path("studies").exists()


@pytest.mark.parametrize(
    "arguments",
    [["run", "weighting.yaml", "--space", "weighting.yaml"], ["run"], ["resume"],
     ["run", "weighting.yaml", "--resume", "there"], ["export", "there"], ["stop"]],
)  # fmt: skip
def test_what_says_nothing_clear_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert f"usage: study {arguments[0]} " in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["resume", "status", "stop", "report"])
def test_a_directory_without_a_study_is_told(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "none"]) == 2
    line = "error: expected a study directory with a space.yaml, found none\n"
    assert capsys.readouterr().err == line


def test_a_report_is_written_anew(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("told"), confirmed({"a": {1: 0.3}, "b": {1: 0.2}}))
    assert main(["report", "told"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "told/report.md"
    assert METRIC in Path("told", "report.md").read_text()


def test_it_is_a_module_too() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "study", "plan", "--help"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert found.stdout.startswith("usage: python -m study plan ")
