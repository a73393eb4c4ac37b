"""What is claimed in words and marks, and what is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from study.events import Event
from study.report import write_report
from study.report.content import Content, make_content
from study.results import read_results
from study.space import Space
from tests.study.ledgers import METRIC, confirmed, told_space, trial, write_study

AP = "test/instances/ap50"
SIX = {seed: 0.30 + seed / 100 for seed in range(1, 7)}
TWO_TASKS = told_space(
    arms={
        "depth": {},
        "inst": {"set": {"tasks": ["instances"]}},
        "both": {"set": {"tasks": ["depth", "instances"]}},
    },
    compare={"baseline": "depth", "metrics": [METRIC, AP]},
)


def moved(by: float) -> dict[int, float]:
    return {seed: value + by for seed, value in SIX.items()}


def told(directory: Path, values: dict[str, dict[int, float]], **compare: Any) -> Content:
    space = told_space(
        arms={arm: {} for arm in values},
        confirm={"seeds": list(SIX)},
        compare={"baseline": "a", "metrics": [METRIC], **compare},
    )
    return make_content(read_results(write_study(directory / "s", confirmed(values), space)))


def judged_in_both() -> list[Event]:
    reached = {"depth": {METRIC: 0.1}, "inst": {AP: 0.5}, "both": {METRIC: 0.09, AP: 0.6}}
    return [e for arm, v in reached.items() for s in (1, 2, 3) for e in trial(arm, s, test=v)]


@pytest.mark.parametrize(("by", "mark"), [(-0.1, "*"), (0.1, "†"), (0.0, "")])
def test_what_is_clear_is_marked(tmp_path: Path, by: float, mark: str) -> None:
    found = told(tmp_path, {"a": SIX, "b": moved(by)})
    assert [row.cells[0].mark for row in found.rows] == ["", mark]
    assert found.differences[0]["verdict"] == ("clear" if mark else "")
    assert found.mark_note == (
        f"{'* better, † worse than the' if mark else 'No arm differs from its'} reference with "
        "p (Holm) at most 0.05, by exact sign-flip test over 6 pairs of seeds, corrected for "
        "1 comparison. The reference is a."
    )


def test_what_the_seeds_cannot_carry_is_not_marked(tmp_path: Path) -> None:
    found = told(tmp_path, {"a": SIX, "b": moved(-0.1), "c": moved(-0.2)})
    assert [row.cells[0].mark for row in found.rows] == ["", "", ""]
    assert {row["verdict"] for row in found.differences} == {"a hint"}
    assert "7 would be needed to claim anything of 2 comparisons" in found.difference_notes[3]
    assert "hint and no proof" in found.answer


def test_pairs_that_disagree_are_not_called_a_hint(tmp_path: Path) -> None:
    found = told(tmp_path, {"a": {1: 0.3, 2: 0.3, 3: 0.3}, "b": {1: 0.2, 2: 0.2, 3: 0.35}})
    assert found.differences[0]["verdict"] == "may be chance"
    assert found.answer.endswith(
        "that is not even a hint, as the pairs disagree, 3 pairs cannot give p below 0.25 whatever "
        "they hold, and 6 would be needed for 1 comparison."
    )


def test_the_test_that_was_chosen_is_named(tmp_path: Path) -> None:
    found = told(tmp_path, {"a": SIX, "b": moved(-0.1)}, test="wilcoxon")
    assert "by exact Wilcoxon signed-rank test over 6 pairs" in found.mark_note
    assert "(exact Wilcoxon signed-rank test, p = 0.031 after" in found.answer
    assert found.difference_notes[2].startswith(
        "p comes from an exact two-sided Wilcoxon signed-rank test;"
    )
    assert "sign-flip" not in " ".join([found.answer, found.mark_note, *found.difference_notes])


@pytest.mark.parametrize(
    ("values", "second"),
    [
        ({"a": 0.3, "b": 0.2}, []),
        ({"a": 0.3, "b": 0.2, "c": 0.4}, ["a"]),
        ({"a": 0.3, "b": 0.2, "c": 0.2}, ["a"]),
        ({"a": 0.3, "b": 0.2, "c": 0.3}, ["a", "c"]),
        ({"a": 0.3, "b": 0.3, "c": 0.3}, []),
    ],
)
def test_the_next_best_is_known_where_there_is_a_contest(
    tmp_path: Path, values: dict[str, float], second: list[str]
) -> None:
    found = told(tmp_path, {arm: {1: value} for arm, value in values.items()})
    assert [row.arm for row in found.rows if row.cells[0].is_second] == second
    best = [row.arm for row in found.rows if row.cells[0].is_best]
    assert best == [arm for arm, value in values.items() if value == min(values.values())]


def test_marks_and_the_next_best_are_set_in_all_formats(tmp_path: Path) -> None:
    space: Space = told_space(
        arms={"a": {}, "b": {}, "c": {}},
        confirm={"seeds": [*SIX, 7]},
        compare={"baseline": "a", "metrics": [METRIC]},
    )
    seven = {**SIX, 7: 0.37}
    shifted = {arm: {s: v + by for s, v in seven.items()} for arm, by in
               (("a", 0.0), ("b", -0.1), ("c", 0.1))}  # fmt: skip
    study = write_study(tmp_path / "s", confirmed(shifted), space)
    write_report(study)
    tex = (study / "table.tex").read_text()
    assert re.search(r"^b & \\textbf\{0\.240 .*\}\\textsuperscript\{\{\*\}\} \\\\$", tex, re.M)
    assert re.search(r"^c & 0\.440 .*\\textsuperscript\{\\dag\{\}\} \\\\$", tex, re.M)
    assert re.search(r"^a & \\underline\{0\.340 ", tex, re.M)
    assert (
        r"{*} better, \dag{} worse than the reference with p (Holm) at most 0.05, by exact" in tex
    )
    assert "&" not in tex.split(r"\end{tabular}")[1]
    page = (study / "report.html").read_text()
    assert page.count("<sup>*</sup>") == page.count("<sup>†</sup>") == 1
    assert page.count('class="second"') == 1
    text = (study / "report.md").read_text()
    assert re.search(r"^\| b \| \*\*0\.240 .*\*\*<sup>\\\*</sup> \|$", text, re.M)
    assert re.search(r"^\| a \| \*0\.340 ± \d\.\d+\* \|$", text, re.M)


def test_gains_and_other_references_are_told_in_all_formats(tmp_path: Path) -> None:
    study = write_study(tmp_path / "s", judged_in_both(), TWO_TASKS)
    write_report(study)
    text = (study / "report.md").read_text()
    row = "| both | +15.00 ± 0.00 | +15.00 to +15.00 | +15.00 to +15.00 | 3 "
    assert row + "| depth +10.00, instances +20.00 |" in text
    assert "<td>+15.00 ± 0.00</td>" in (study / "report.html").read_text()
    tex = (study / "table.tex").read_text()
    assert r"& $\Delta_m$, \% $\uparrow$ \\" in tex
    (both,) = [line for line in tex.splitlines() if line.startswith("both &")]
    assert both.endswith(r" & +15.00 $\pm$ 0.00 \\")
    said = f"depth by {METRIC} over depth; instances by {AP} over inst."
    for shown in (text, tex.replace(r"\_", "_"), (study / "report.html").read_text()):
        assert said in shown
        assert f"The reference is depth, and inst in {AP}." in shown


def test_without_arms_of_one_task_no_gain_is_spoken_of(tmp_path: Path) -> None:
    study = write_study(tmp_path / "s", confirmed({"a": SIX, "b": SIX}))
    write_report(study)
    for name in ("report.html", "report.md", "table.tex"):
        assert "Delta" not in (study / name).read_text()
        assert "Δm" not in (study / name).read_text()


def test_numbers_of_differences_have_a_minus_in_latex(tmp_path: Path) -> None:
    study = write_study(tmp_path / "s", confirmed({"a": SIX, "b-2": moved(-0.25)}),
                        told_space(arms={"a": {}, "b-2": {}}))  # fmt: skip
    write_report(study)
    lines = (study / "differences.tex").read_text().splitlines()
    (row,) = [line for line in lines if "& b-2 &" in line]
    assert r"& b-2 & a & $-$0.250 & $-$0.250 to $-$0.250 & --- & $-$$\infty$ & 6 & 0.031 \\" in row
    assert any("No interval for new images" in line for line in lines)


def test_nothing_compared_is_said(tmp_path: Path) -> None:
    found = told(tmp_path, {"a": {1: 0.3}, "b": {2: 0.3}})
    assert found.mark_note == ("Nothing is compared: no two arms have a value for the same seed.")
    assert (found.differences, found.gains, found.gain_notes) == ([], [], [])
