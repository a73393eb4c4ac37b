"""Reports of studies told by hand: the same in three formats, honest, harmless, repeatable."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from study.events import Event
from study.report import __main__ as command
from study.report import write_report
from study.space import Space
from tests.study.ledgers import METRIC, SCORE, confirmed, told_space, trial, write_study

FIGURES = ("curve-val-depth-abs_rel", "differences")
FILES = ("report.html", "report.md", "table.tex", "differences.tex")
HOSTILE = (
    "<script>alert(1)</script> & <img src=http://example.org/x> | *b* _c_ $d$ 5 % \\ {{ 7*7 }}"
)
TWO = told_space(compare={"baseline": "a", "metrics": [METRIC, SCORE]})
JUDGED: list[Event] = [
    event
    for arm, shift in (("a", 0.0), ("b", -0.05))
    for seed in (1, 2, 3)
    for event in trial(
        arm, seed, test={METRIC: 0.29 + seed / 100 + shift, SCORE: 0.7 - shift + seed / 50}
    )
]


class Page(HTMLParser):
    """What a browser would make of a page: elements, attributes, texts, rows of tables."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.in_cell = False
        self.rows: list[list[str]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True
        elif tag == "br":
            self.handle_data(" / ")

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.in_cell:
            self.rows[-1][-1] += data


def report(
    directory: Path, events: list[Event], space: Space | None = None, **manifest: Any
) -> Path:
    study = write_study(directory / "study", events, space, **manifest)
    write_report(study)
    return study


def markdown_of(study: Path) -> str:
    """The Markdown without its escapes."""
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", (study / "report.md").read_text())


def test_three_formats_hold_each_arm_and_metric_with_the_same_numbers(tmp_path: Path) -> None:
    study = report(tmp_path, JUDGED, TWO)
    expected = [["a", "0.310 ± 0.010", "0.740 ± 0.020"], ["b", "0.260 ± 0.010", "0.790 ± 0.020"]]
    intervals = [
        ["a", "0.300 to 0.320", "0.720 to 0.760"],
        ["b", "0.250 to 0.270", "0.770 to 0.810"],
    ]
    page = Page((study / "report.html").read_text())
    assert page.rows[0] == ["arm", f"{METRIC} ↓", f"{SCORE} ↑"]
    cells = [[cell.split(" / ") for cell in row] for row in page.rows[1:3]]
    assert [[cell[0] for cell in row] for row in cells] == expected
    assert [[cell[-1] for cell in row] for row in cells] == intervals
    lines = [line.replace("**", "") for line in markdown_of(study).splitlines()]
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith(("| a |", "| b |"))]
    assert table[:4] == [*expected, *intervals]
    tex = (study / "table.tex").read_text()
    plain = re.sub(r"\\textbf\{(.*?)\}", r"\1", tex.replace(r"$\pm$", "±").replace(r"\_", "_"))
    plain = re.sub(r"\{\\footnotesize (.*?)\}", r"\1", plain)
    plain = re.sub(r"\\shortstack\[r\]\{(.*?)\\\\(.*?)\}", r"\1\2", plain)
    rows = [line.removesuffix(r" \\").split(" & ") for line in plain.splitlines() if "&" in line]
    assert rows[1::2] == expected
    assert [row[1:] for row in rows[2::2]] == [row[1:] for row in intervals]
    assert rows[0] == ["arm", METRIC + r" $\downarrow$", SCORE + r" $\uparrow$"]


def test_differences_are_told_with_interval_pairs_and_both_p(tmp_path: Path) -> None:
    study = report(tmp_path, JUDGED, TWO)
    row = [
        f"{METRIC} ↓",
        "b",
        "a",
        "-0.0500",
        "better",
        "-0.0500 to -0.0500",
        "-∞",
        "3",
        "0.250",
        "0.500",
        "a hint",
    ]
    rows = Page((study / "report.html").read_text()).rows
    of_metric = rows.index([f"{METRIC} ↓, minus a"])
    assert rows[of_metric + 1] == [row[1], *row[3:]]
    assert f"| {' | '.join(row)} |" in markdown_of(study)
    for said in (
        "Mean ± standard deviation over 3 seeds, on the test split.",
        "corrected for all 2 comparisons of this table",
        "With 3 pairs this test cannot go below p = 0.25, whatever the numbers; 7 would be needed "
        "to claim anything of 2 comparisons.",
        "No arm differs from its reference with p (Holm) at most 0.05, by exact sign-flip test "
        "over 3 pairs of seeds, corrected for 2 comparisons. The reference is a.",
        f"No interval for new images of {METRIC}, {SCORE}: it is known of one image alone.",
        "The test split was opened at 2026-01-01T02:00:00.000+00:00, for 6 trained models; the "
        "last training ended at 2026-01-01T01:00:00.000+00:00.",
        "that is a hint and no proof",
    ):
        assert said in markdown_of(study)
        assert said in Page((study / "report.html").read_text()).text


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    events = [*JUDGED[:-4], *trial("b", 9, status="failed", error=HOSTILE)]
    space = told_space(question=HOSTILE)
    study = report(tmp_path, events, space, command=HOSTILE, study_id=HOSTILE)
    page = Page((study / "report.html").read_text())
    assert page.text.count(HOSTILE) == 6
    assert not page.elements & {"script", "link", "iframe", "object", "form", "base", "svg"}
    assert "49" not in page.text
    text = (study / "report.md").read_text()
    body, facts = text.split("## How to repeat it")
    assert "<script" not in body
    assert "http://" not in body
    assert HOSTILE in facts, "as code, which shows it as it is"
    assert len([line for line in text.splitlines() if line.startswith("# ")]) == 1


def test_a_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    study = report(tmp_path, JUDGED, TWO)
    source = re.sub(r"base64,[^\"]+", "base64,", (study / "report.html").read_text())
    assert not re.search(r"https?:|//|@import|url\(", source)
    page = Page(source)
    sources = [value for name, value in page.attributes if name in ("src", "srcset")]
    assert set(sources) == {"data:image/png;base64,"}
    links = re.findall(r"\]\((.*?)\)", (study / "report.md").read_text())
    assert len(links) == len(sources)
    assert all((study / link).is_file() for link in links)
    assert all((study / link).with_suffix(".pdf").is_file() for link in links)


def test_the_contents_lead_to_each_part_that_is_there(tmp_path: Path) -> None:
    study = report(tmp_path, JUDGED, TWO)
    page = Page((study / "report.html").read_text())
    targets = [value for name, value in page.attributes if name == "href"]
    places = [f"#{value}" for name, value in page.attributes if name == "id"]
    assert targets == places
    assert {"#arms", "#differences", "#repeat"} <= set(targets)
    assert "#gains" not in targets


def test_a_report_made_again_is_the_same_to_the_byte(tmp_path: Path) -> None:
    study = report(tmp_path, JUDGED, TWO)
    names = [*FILES, *(f"figures/{n}.{kind}" for n in FIGURES for kind in ("png", "pdf"))]
    before = {name: (study / name).read_bytes() for name in names}
    for name in names:
        (study / name).unlink()
    for name in ("trials.parquet", "epochs.parquet", "test.parquet"):
        (study / name).unlink()
    done = subprocess.run(
        [sys.executable, "-m", "study.report", str(study)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.split() == [str(study / name) for name in FILES]
    assert {name: (study / name).read_bytes() for name in names} == before


def test_a_directory_without_a_study_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["study.report", str(tmp_path / "nothing")])
    assert command.main() == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: expected a study directory with a space.yaml, found ")
    assert err.count("\n") == 1


def test_latex_is_balanced_and_needs_booktabs_alone(tmp_path: Path) -> None:
    space = told_space(arms={"a": {}, "mt_b": {}, "c": {}}, study="told_1")
    study = report(
        tmp_path, confirmed({"a": {1: 0.3}, "mt_b": {1: 0.2, 2: 0.25}, "c": {1: 0.5}}), space
    )
    lines = (study / "table.tex").read_text().splitlines()
    shown = [line for line in lines if line and not line.startswith("%")]
    assert shown[0] == r"\begin{tabular}{lr}"
    assert shown.index(r"\end{tabular}") == shown.index(r"\bottomrule") + 1
    assert shown[-1] == r"\par\endgroup"
    known = "begin end toprule midrule bottomrule textbf underline pm downarrow textsuperscript "
    known += "par begingroup footnotesize endgroup smallskip shortstack addlinespace"
    assert set(re.findall(r"(?<!\\)\\([a-z]+)", "\n".join(shown))) == set(known.split())
    body = [line for line in shown if "&" in line]
    assert [line.split(" & ")[0] for line in body] == ["arm", "a", r"mt\_b", "", "c"]
    assert all(line.endswith(r"\\") and line.count(" & ") == 1 for line in body)
    assert all(line.count("{") == line.count("}") for line in shown)
