"""A study that goes on with another space: refused with the difference, or extended."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from study import run, runner
from study.extension import differences, extend, refuse_differences
from study.ledger import Ledger
from study.report.course import how_test_was_shut
from study.results import read_results
from study.runner import Settings, resume_study, run_study, take_space
from study.simulate import Simulated
from study.space import Space
from study.space_loading import space_as_yaml
from tests.study.ledgers import METRIC, told_space, trial, write_study
from tests.study.simulated import simulated_space, told

SETTINGS = Settings(trainable=Simulated(), tracks=False, concurrency=1)
SEEDS = {"seeds": [1]}


def changed(**changes: Any) -> list[str]:
    return [
        f"{one} +" if one.extends else str(one)
        for one in differences(
            told_space(search=SEARCH), told_space(**{"search": SEARCH, **changes})
        )
    ]


SEARCH = {
    "trials_per_arm": 2,
    "space": {"optimizer.lr": {"type": "float", "low": 1e-4, "high": 1e-2}},
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"confirm": {"seeds": [1, 2, 3, 4]}},
         ["confirm.seeds: was [1, 2, 3], now [1, 2, 3, 4] +"]),
        ({"confirm": {"seeds": [4, 1, 2, 3]}}, ["confirm.seeds: was [1, 2, 3], now [4, 1, 2, 3]"]),
        ({"confirm": {"seeds": [1, 2]}}, ["confirm.seeds: was [1, 2, 3], now [1, 2]"]),
        ({"search": {**SEARCH, "trials_per_arm": 3}}, ["search.trials_per_arm: was 2, now 3 +"]),
        ({"search": {**SEARCH, "trials_per_arm": 1}}, ["search.trials_per_arm: was 2, now 1"]),
        ({"arms": {"a": {}, "b": {}, "c": {}}}, ["arms.c: is new +"]),
        ({"arms": {"a": {}, "b": {"set": {"epochs": 2}}}}, ["arms.b.set.epochs: is new"]),
        ({"base": {"tasks": ["depth"], "epochs": 9}}, ["base.epochs: was 1, now 9"]),
        ({"budget": {"trials": 3}}, ["budget.trials: was nothing, now 3"]),
    ],
)  # fmt: skip
def test_each_difference_is_a_line_that_tells_what_was_and_what_is(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert changed(**changes) == expected


def test_an_arm_that_is_gone_is_no_extension() -> None:
    found = differences(told_space(), told_space(arms={"a": {}}))
    assert [(str(one), one.extends) for one in found] == [
        (f"arms.b: was {told_space().arms['b'].model_dump(mode='json')}, now gone", False)
    ]


def test_another_space_is_refused_with_what_extend_would_allow(tmp_path: Path) -> None:
    more = told_space(confirm={"seeds": [1, 2, 3, 4]}, base={"tasks": ["depth"], "epochs": 2})
    with pytest.raises(ValueError) as caught:
        refuse_differences(tmp_path, differences(told_space(), more))
    assert str(caught.value).splitlines()[-2:] == [
        "base.epochs: was 1, now 2",
        "confirm.seeds: was [1, 2, 3], now [1, 2, 3, 4] (--extend allows it)",
    ]
    refuse_differences(tmp_path, differences(more, more))
    write_study(tmp_path / "study", [], told_space())
    ledger = Ledger.open(tmp_path / "study")
    with pytest.raises(
        ValueError, match=r"expected more of the same: confirm.seeds .*\nbase.epochs"
    ):
        extend(ledger, more, Simulated(), lambda _: None)
    assert [p.name for p in (tmp_path / "study").glob("space*")] == ["space.yaml"]


def test_the_command_line_holds_a_space_against_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_study(Path("study"), [], told_space())
    Path("other.yaml").write_text(space_as_yaml(told_space(question="Else?")))
    assert run.main(["--resume", "study", "--space", "other.yaml"]) == run.BAD_INPUT
    assert "question: was Does it?, now Else?" in capsys.readouterr().err
    extended = ["--resume", "study", "--extend", "--set", "base.epochs=5"]
    assert run.main(extended) == run.BAD_INPUT
    assert "base.epochs: was 1, now 5" in capsys.readouterr().err
    assert run.main(["--resume", "none", "--extend"]) == run.BAD_INPUT
    assert re.search("expected a study directory with a space.yaml", capsys.readouterr().err)
    gone_on: list[Path] = []
    monkeypatch.setattr(runner, "resume_study", lambda directory, _: gone_on.append(directory))
    same = ["--resume", "study", "--space", "study/space.yaml"]
    assert run.main(same) == 0
    assert gone_on == [Path("study")]


def test_it_says_what_it_does_for_arms_that_are_confirmed_already(tmp_path: Path) -> None:
    """At once, and in the report, where the search has gone on to find something better."""
    small = told_space(search=SEARCH)
    rate = {n: {"optimizer.lr": n} for n in (1e-3, 2e-3, 5e-3)}
    events = [
        *trial("a", phase="search", number=0, params=rate[1e-3], val=0.5),
        *trial("a", phase="search", number=1, params=rate[2e-3], val=0.4),
        *trial("a", 1, params=rate[2e-3], test={METRIC: 0.4}),
    ]
    study = write_study(tmp_path / "study", events, small, objectives={})
    large = told_space(search={**SEARCH, "trials_per_arm": 3})
    ledger, said = Ledger.open(study, writable=True), list[str]()
    extend(ledger, large, Simulated(), said.append)
    assert said[0] == (
        "Note: confirmed already: a. These keep the settings that they were confirmed with, also "
        "if the search goes on to find better ones."
    )
    told = "The search of a went on after its confirmation and found better settings, search-a-002"
    assert not any("went on" in line for line in how_test_was_shut(read_results(study)))
    for event in trial("a", phase="search", number=2, params=rate[5e-3], val=0.3):
        ledger.append(event)
    ledger.close()
    lines = how_test_was_shut(read_results(study))
    assert [line for line in lines if line.startswith(told)]
    # Seeds and new arms alone leave nothing to be thought otherwise.
    ledger, said = Ledger.open(study, writable=True), []
    more = told_space(search=large.search, confirm={"seeds": [1, 2, 3, 4]})
    extend(ledger, more, Simulated(), said.append)
    ledger.close()
    assert not any("confirmed already" in line for line in said)


def extended(study: Path, space: Space) -> Ledger:
    take_space(study, space, SETTINGS, extends=True)
    return Ledger.open(resume_study(study, SETTINGS))


@pytest.mark.usefixtures("small_ray")
def test_seeds_trials_and_arms_are_added_and_what_was_tested_stays(tmp_path: Path) -> None:
    small = simulated_space(confirm=SEEDS)
    study = run_study(small, tmp_path / "study", SETTINGS)
    before = {row["trial_key"]: row for row in told(study)}
    opened = Ledger.open(study).manifest["test_opened"]
    search = small.model_dump(mode="json")["search"] | {"trials_per_arm": 4}
    large = simulated_space(("equal", "dwa", "famo"), confirm={"seeds": [1, 2]}, search=search)
    ledger = extended(study, large)
    after = {row["trial_key"]: row for row in told(study)}
    assert {key: after[key] for key in before} == before
    assert set(after) == {
        *(f"search-{arm}-{n:03d}" for arm in large.arms for n in range(4)),
        *(f"confirm-{arm}-seed{seed}" for arm in large.arms for seed in (1, 2)),
    }
    for arm in small.arms:
        assert after[f"confirm-{arm}-seed1"]["params"] == after[f"confirm-{arm}-seed2"]["params"]
    manifest = ledger.manifest
    assert manifest["test_opened"] == opened
    assert set(manifest["objectives"]) == set(large.arms)
    (extension,) = manifest["extensions"]
    assert extension["test_opened"] == opened < extension["time"] < manifest["ended"]
    assert extension["changes"] == [
        "arms.famo: is new",
        "search.trials_per_arm: was 3, now 4",
        "confirm.seeds: was [1], now [1, 2]",
    ]
    assert (study / "space-1.yaml").read_text() == space_as_yaml(small)
    assert (study / "space.yaml").read_text() == space_as_yaml(large)
    said = (study / "report.md").read_text()
    assert "after the test split had been opened" in said
    extended(study, large)
    assert len(Ledger.open(study).manifest["extensions"]) == 1, "the same again changes nothing"
